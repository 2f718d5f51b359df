"""Errors in the form that the caller's document shows; the one place where an exception becomes an answer."""

from typing import Any

from helpdesk_core.clock import api_time
from helpdesk_core.errors import HelpdeskError
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.answers import Answer, Form, to_json


def render(error: HelpdeskError, dialect: Dialect, form: Form) -> Answer:
    """Return the answer for `error`: never a trace, always a code or a sentence."""
    body = _classic(error) if dialect is Dialect.CLASSIC else _comprehensive(error, form)
    return Answer(error.status, to_json(body), error.headers)


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
