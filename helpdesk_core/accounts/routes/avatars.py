"""Pictures of people."""

from helpdesk_core.accounts import permissions, queries, service
from helpdesk_core.accounts.models import User
from helpdesk_core.accounts.pictures import square_png
from helpdesk_core.accounts.schemas.users import UserExtras, UserRead
from helpdesk_core.errors import NotFound, PayloadTooLarge
from helpdesk_core.schemas import Dialect
from helpdesk_core.web.answers import Download
from helpdesk_core.web.context import Context
from helpdesk_core.web.routing import Key, Router, Upload

router = Router("users", tag="Users", document=Dialect.COMPREHENSIVE)


def decode(ctx: Context, file: Upload) -> bytes:
    """Return the picture as it is stored.

    Raises:
        PayloadTooLarge: the file is too large (413).
        Invalid: it is no picture, or one of too many pixels (400).
    """
    limit = ctx.services.settings.max_upload_bytes
    if (file.size or 0) > limit:
        raise PayloadTooLarge(f"A file may have at most {limit} bytes.")
    return square_png(file.file)


@router.replace("/profile/avatar/", permission=permissions.USE, slow=True, prepare=decode, include=UserExtras)
def set_avatar(ctx: Context, file: Upload, prepared: bytes) -> UserRead:  # noqa: ARG001 - it was read before
    """Set one's own picture: a PNG, JPEG, GIF or WebP as the part `file`.

    It is stored as a square of at most 512 pixels a side, cut from the middle, without metadata.
    """
    user = ctx.session.get_one(User, ctx.actor.user_id)
    service.set_avatar(ctx.session, ctx.services.files, user, prepared)
    return ctx.one(queries.users, user.id)


@router.delete("/profile/avatar/", permission=permissions.USE)
def remove_avatar(ctx: Context) -> None:
    """Remove one's own picture."""
    service.remove_avatar(ctx.session, ctx.services.files, ctx.session.get_one(User, ctx.actor.user_id))


@router.get("/{user_id}/avatar/", permission=permissions.VIEW_USERS)
def retrieve_avatar(ctx: Context, user_id: Key) -> Download:
    """The picture of a user, for those who see the user."""
    stored = ctx.session.get_one(User, queries.users.find_one(ctx.session, ctx.viewer, User.id, user_id)).avatar
    if stored is None:
        raise NotFound
    content = b"".join(ctx.services.files.read(stored))
    return Download(iter((content,)), f"{user_id}.png", "image/png", len(content), f'"{stored}"')
