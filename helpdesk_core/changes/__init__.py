"""The change feed: what happened to resources, in order, as far as a caller may see it now.

Events are the record; here each becomes what the caller is shown of the resources that it touched. The endpoint, the
socket and its resumption all read through this package, and therefore agree.
"""

from helpdesk_core.changes.items import Change, Changes, Sharing
from helpdesk_core.changes.log import CursorExpired, Log, Record
from helpdesk_core.changes.positions import BEGINNING, Position
from helpdesk_core.changes.topics import Topics, UnknownTopic

__all__ = [
    "BEGINNING",
    "Change",
    "Changes",
    "CursorExpired",
    "Log",
    "Position",
    "Record",
    "Sharing",
    "Topics",
    "UnknownTopic",
]
