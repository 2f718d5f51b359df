"""Words that all servers share; here, so that the floor and the comparison need not import the product."""

STATUSES = ("new", "open", "in_progress", "pending", "resolved", "closed")
FINAL_STATUSES = ("resolved", "closed")
PRIORITIES = ("low", "medium", "high", "urgent")
SHOWN = {**{status: status for status in STATUSES}, "in_progress": "open"}
"""What the COMPREHENSIVE document shows for each stored status."""
WANTED = {"open": ("open", "in_progress")}
"""Which stored statuses a filter means, where it is not the one of that name."""
EMBEDDED_COMMENTS = 10
KEY = "a key for benchmarks only, forty characters"
