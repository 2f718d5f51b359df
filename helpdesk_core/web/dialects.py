"""Which of the two published documents an answer speaks (rules R1, R2 and R6)."""

from dataclasses import dataclass
from functools import lru_cache

from helpdesk_core.errors import NotAcceptable
from helpdesk_core.schemas import Dialect

API_VERSION = "v1"
_VENDOR = "application/vnd.helpdesk."
_NAMED = {"v1+json": Dialect.COMPREHENSIVE, "classic.v1+json": Dialect.CLASSIC}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an `Accept` header asks for.

    Attributes:
        dialect: the document named by a vendor media type; nothing when the credential decides.
        envelope: whether bodies are wrapped in `data` and `meta`.
    """

    dialect: Dialect | None = None
    envelope: bool = False


_ANYTHING = Wanted()


@lru_cache(maxsize=256)
def wanted_by(accept: str) -> Wanted:
    """Read an `Accept` header; an unknown version of our own media type is `NotAcceptable`.

    Types of other vendors fall back to JSON: every client understands it, and none is refused for its defaults.
    """
    unknown = None
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if not name.startswith(_VENDOR):
            continue
        dialect = _NAMED.get(name.removeprefix(_VENDOR))
        if dialect is not None:
            return Wanted(dialect, envelope="envelope=standard" in parameters)
        unknown = name
    if unknown:
        raise NotAcceptable(f"{unknown} is not served here; {API_VERSION} is the current version.")
    return _ANYTHING


def choose(accept: Wanted, credential: Dialect | None, owner: Dialect | None) -> Dialect:
    """Return the dialect by rule R1: media type, else credential, else the document that owns the path."""
    return accept.dialect or credential or owner or Dialect.COMPREHENSIVE
