"""Errors in the form that the caller's document shows; the one place where an exception becomes an answer."""

import logging
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError

from helpdesk_core.clock import api_time
from helpdesk_core.database import is_away, overtaken
from helpdesk_core.errors import Conflict, HelpdeskError, Invalid, PreconditionFailed, Unavailable
from helpdesk_core.plugins import Hung
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.answers import Answer, Form, to_json

log = logging.getLogger("helpdesk.web")


class Overloaded(Unavailable):
    """There are more requests than this server can answer. Try again shortly."""

    code = "OVERLOADED"


def render(error: HelpdeskError, dialect: Dialect, form: Form) -> Answer:
    """Return the answer for `error`: never a trace, always a code or a sentence."""
    body = _classic(error) if dialect is Dialect.CLASSIC else _comprehensive(error, form)
    return Answer(error.status, to_json(body), error.headers, code=error.code)


def _classic(error: HelpdeskError) -> dict[str, Any]:
    details: dict[str, Any] = {}
    for problem in error.errors:
        details.setdefault(problem.field, []).append(problem.message)
    return {"error": error.message, "details": details or error.details}


def _comprehensive(error: HelpdeskError, form: Form) -> dict[str, Any]:
    body: dict[str, Any] = {"code": error.code, "message": error.message, "details": _details(error)}
    if form.envelope:
        return {"error": body, "meta": form.meta()}
    if error.status != 429:  # documented without these two; both are in the headers
        body |= {"timestamp": api_time(form.now), "request_id": form.request_id}
    return {"error": body}


def _details(error: HelpdeskError) -> dict[str, Any]:
    if not error.errors:
        return error.details
    first = error.errors[0]
    details = {**error.details, "field": first.field, "message": first.message}
    if len(error.errors) > 1:
        details["errors"] = [{"field": problem.field, "message": problem.message} for problem in error.errors]
    return details


def told(error: BaseException, request_id: str, path: str) -> HelpdeskError:
    """Return what the caller is told about `error`; what is our fault is logged with its trace."""
    if isinstance(error, HelpdeskError):
        return error
    if isinstance(error, IntegrityError):
        log.warning("integrity error", extra={"request_id": request_id, "error": str(error.orig)})
        return Conflict("This conflicts with what was stored meanwhile.")
    if isinstance(error, DataError):
        return Invalid("A value is out of range for the database.")
    if overtaken(error):
        return PreconditionFailed()
    if isinstance(error, Hung):
        return Unavailable("This took too long.")
    if is_away(error):
        log.error("the database is away", extra={"request_id": request_id, "error": first_line(error)})
        return Unavailable()
    log.error("unhandled error", exc_info=error, extra={"request_id": request_id, "path": path})
    return HelpdeskError("Something went wrong on our side.")


def first_line(error: BaseException) -> str:
    """Return what a driver says, without the statement that it happened to."""
    return (str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__])[0]
