"""Rows by their keys."""

from typing import Any, TypeVar

from sqlalchemy.orm import Session

from helpdesk_core.api import NotFound

RowT = TypeVar("RowT")


def row_of(session: Session, kind: type[RowT], key: Any) -> RowT:
    """Return the row of the session's organisation with this key; `NotFound` when there is none."""
    row = session.get(kind, key)
    if row is None:
        raise NotFound
    return row
