"""The closed family of errors that a caller can be told about.

A plugin writes its own as a two-line subclass: the code comes from the class's name, the status from
the family, the message from the docstring or the argument.

    class ShiftOverlaps(Conflict):
        '''The agent is already on call at that time.'''
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with one field of the request.

    Attributes:
        field: name as the caller wrote it; nested parts are joined by dots (`settings.timezone`).
        message: a sentence for people.
    """

    field: str
    message: str


class HelpdeskError(Exception):
    """Something went wrong on our side."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"
    keeps_writes: ClassVar[bool] = False
    """Whether what was written before this was raised stays: an attempt to log in, for instance."""
    always: ClassVar[Mapping[str, str]] = {}
    """Response headers of every answer of this kind, unless one knows better."""

    def __init_subclass__(cls) -> None:
        """Derive the code from the class's name unless the class states one."""
        super().__init_subclass__()
        if "code" not in cls.__dict__:
            cls.code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).upper()

    def __init__(
        self,
        message: str | None = None,
        *,
        details: Mapping[str, Any] | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Describe one failure.

        Args:
            message: a sentence for people; the first line of the class's docstring when omitted.
            details: facts for programs, as JSON types; their keys depend on the code.
            errors: the fields at fault, in the order of the request.
            headers: response headers that belong to this answer (`Allow`, `WWW-Authenticate`...).
        """
        self.message = message or (self.__doc__ or "").strip().splitlines()[0]
        self.details = dict(details or {})
        self.errors = tuple(errors)
        self.headers = {**self.always, **(headers or {})}
        super().__init__(self.message)


class BadRequest(HelpdeskError):
    """The request could not be read."""

    status = 400


class Invalid(HelpdeskError):
    """Validation failed"""

    status = 400
    code = "VALIDATION_ERROR"

    @classmethod
    def field(cls, field: str, message: str) -> "Invalid":
        """Return the error for a single field."""
        return cls(errors=[FieldError(field, message)])


class Unauthenticated(HelpdeskError):
    """Authentication required"""

    status = 401
    code = "AUTHENTICATION_REQUIRED"

    challenge: ClassVar[str] = 'Bearer realm="helpdesk"'

    def __init__(self, message: str | None = None, *, details: Mapping[str, Any] | None = None) -> None:
        """Name the scheme in `WWW-Authenticate`, as every 401 must."""
        super().__init__(message, details=details, headers={"WWW-Authenticate": self.challenge})


class PermissionDenied(HelpdeskError):
    """You do not have permission to do this."""

    status = 403
    code = "INSUFFICIENT_PERMISSIONS"


class TwoFactorRequired(PermissionDenied):
    """Your organization asks for a second factor. Set one up first."""

    code = "TWO_FACTOR_REQUIRED"


class LoginRequired(PermissionDenied):
    """API keys cannot do this. Log in as yourself."""


class CsrfFailed(PermissionDenied):
    """This request came with a session cookie, but not verifiably from one of our pages. Send X-CSRFToken."""


class PluginNotEnabled(HelpdeskError):
    """This feature is not enabled for your organization."""

    status = 403


class NotFound(HelpdeskError):
    """Not found."""

    status = 404
    code = "RESOURCE_NOT_FOUND"


class MethodNotAllowed(HelpdeskError):
    """This method is not supported here."""

    status = 405


class NotAcceptable(HelpdeskError):
    """None of the media types asked for can be served."""

    status = 406


class Conflict(HelpdeskError):
    """The request conflicts with what is stored."""

    status = 409


class AlreadyExists(Conflict):
    """This already exists."""

    code = "RESOURCE_ALREADY_EXISTS"

    @classmethod
    def field(cls, field: str, message: str) -> "AlreadyExists":
        """Return the error for the unique field that is taken."""
        return cls(message, details={"field": field, "message": message}, errors=[FieldError(field, message)])


class Gone(HelpdeskError):
    """This was kept for a while only."""

    status = 410


class PreconditionFailed(HelpdeskError):
    """The resource has changed since you read it."""

    status = 412


class PayloadTooLarge(HelpdeskError):
    """The request body is too large."""

    status = 413


class UnsupportedMediaType(HelpdeskError):
    """This media type is not supported here."""

    status = 415


class Unprocessable(HelpdeskError):
    """The request does not fit the present state."""

    status = 422
    code = "VALIDATION_ERROR"


class RateLimitExceeded(HelpdeskError):
    """Rate limit exceeded. Try again later."""

    status = 429


class Unavailable(HelpdeskError):
    """The service cannot answer right now. Try again shortly."""

    status = 503
    code = "SERVICE_UNAVAILABLE"
    always: ClassVar[Mapping[str, str]] = {"Retry-After": "1"}
