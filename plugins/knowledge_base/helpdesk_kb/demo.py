"""A dozen articles."""

from datetime import datetime

from sqlalchemy.orm import Session


def load(session: Session, now: datetime) -> None:
    """Fill the demonstration organisation."""
