"""A built-in plugin: telling people what happened, in their inbox and by mail."""
