"""What the endpoints of accounts share: whose request it is, and how a person is shown to themselves."""

from typing import Any, TypeVar, cast

from helpdesk_core.accounts import queries
from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.accounts.schemas.users import UserRead
from helpdesk_core.accounts.service import Client
from helpdesk_core.errors import NotFound
from helpdesk_core.permissions import Actor
from helpdesk_core.queries import Viewer
from helpdesk_core.schemas import Schema
from helpdesk_core.web.context import Context

SchemaT = TypeVar("SchemaT", bound=Schema)


def client_of(ctx: Context) -> Client:
    """Return where the request comes from."""
    user_agent = ctx.incoming.headers.get("user-agent", "").replace("\x00", "")
    return Client(ctx.incoming.address[:45], user_agent[:255])


def shown(_: type[SchemaT], **values: Any) -> SchemaT:
    """Return an answer whose parts are encoded as they are; no schema object is built."""
    return cast("SchemaT", values)


def as_they_see_themselves(ctx: Context, user: User) -> UserRead:
    """Return a user as the profile shows them, on endpoints where they are not the caller yet."""
    actor = Actor(user.id, user.organization_id, user.role)
    viewer = Viewer(actor, ctx.dialect, ctx.now, ctx.include)
    return cast("UserRead", queries.users.load_one(ctx.session, viewer, user.id).data)


def organization_at(ctx: Context, organization_id: int, *, lock: bool = False) -> Organization:
    """Return the organisation of a path, which is that of the session.

    Args:
        ctx: of the request.
        organization_id: from the path.
        lock: read it anew and keep others from changing it, for what is stored to be merged with what is sent.
    """
    organization = ctx.session.get(
        Organization, organization_id, populate_existing=lock, with_for_update={"key_share": True} if lock else None
    )
    if organization is None:
        raise NotFound
    return organization


def refuse_unknown_organization(ctx: Context, organization_id: int) -> None:
    """Refuse a path below an organisation that does not exist: only platform administrators can get as far as that.

    Raises:
        NotFound: there is none (404).
    """
    if ctx.actor.is_platform_admin:
        organization_at(ctx, organization_id)
