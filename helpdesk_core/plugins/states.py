"""How far a plugin has come, and what it is blamed for."""

from enum import StrEnum


class State(StrEnum):
    """What has become of a plugin. It moves down this list while a process starts, and stays where it fails.

    Attributes:
        DISCOVERED: installed, and left out by `HELPDESK_PLUGINS`; nothing of it was imported.
        INVALID: its manifest cannot be read or used.
        INCOMPATIBLE: written for another contract or another version of the core.
        BLOCKED: what it requires is not there, or does not run.
        IMPORTED: its code is loaded; only seen while a process starts.
        REGISTERED: its hooks have answered; only seen while a process starts.
        NEEDS_MIGRATION: the database lacks its newest tables. It answers 503 and its jobs wait for `helpdesk migrate`.
        ACTIVE: it runs.
        SUSPENDED: too much of what it did failed. It answers 503 and its jobs wait; it is tried again by itself.
        FAILED: it could not be imported or registered.
    """

    DISCOVERED = "discovered"
    INVALID = "invalid"
    INCOMPATIBLE = "incompatible"
    BLOCKED = "blocked"
    IMPORTED = "imported"
    REGISTERED = "registered"
    NEEDS_MIGRATION = "needs_migration"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    FAILED = "failed"


class Phase(StrEnum):
    """Where in its life a plugin failed."""

    MANIFEST = "manifest"
    IMPORT = "import"
    REGISTRATION = "registration"
    MIGRATION = "migration"
    REQUEST = "request"
    PAGE = "page"
    EVENT = "event"
    JOB = "job"
    COMMAND = "command"
    START = "start"
    SWITCH = "switch"
