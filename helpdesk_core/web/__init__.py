"""The HTTP edge: declared endpoints, the two dialects, and the unit of work around every request."""
