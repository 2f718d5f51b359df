"""What there is to choose from."""

from helpdesk_core.schemas import Schema


class TimezoneRead(Schema):
    """A time zone."""

    name: str
    """As the IANA calls it, `Europe/Zurich`."""
    offset: str
    """From UTC at this moment, `+01:00`."""


class LanguageRead(Schema):
    """A language."""

    code: str
    """Of ISO 639, two letters."""
    name: str
    """In English."""
