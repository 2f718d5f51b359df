"""The change feed and the catalogue of events: how outside systems keep a copy and learn what can happen."""
