"""The verbs of people's pictures."""

from io import BytesIO

from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.accounts.models import User
from helpdesk_core.accounts.service.users import mark_changed
from helpdesk_core.files import FileStore, discard_upload, store_upload


def set_avatar(session: Session, store: FileStore, user: User, png: bytes) -> None:
    """Store a picture as that of a user; the one before is removed when the transaction is committed.

    Args:
        session: of the user's organisation.
        store: where it goes.
        user: whose picture it is.
        png: as `square_png` returned it.
    """
    before = user.avatar
    user.avatar, _ = store_upload(session, store, BytesIO(png), len(png))
    mark_changed(session, user, ["avatar"])
    if before is not None:
        discard_upload(session, store, before)
    audit.record(session, "user.avatar_changed", "user", user.id)


def remove_avatar(session: Session, store: FileStore, user: User) -> None:
    """Remove the picture of a user; nothing happens when there is none."""
    if user.avatar is None:
        return
    discard_upload(session, store, user.avatar)
    user.avatar = None
    mark_changed(session, user, ["avatar"])
    audit.record(session, "user.avatar_removed", "user", user.id)
