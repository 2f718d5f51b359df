"""Pages of an organisation that anybody may open: a help centre, a status page."""

from sqlalchemy import select

from helpdesk_core.accounts.models import Organization
from helpdesk_core.errors import NotFound
from helpdesk_core.events import Bus
from helpdesk_core.permissions import Actor
from helpdesk_core.plugins import PluginHost
from helpdesk_core.queries import Viewer
from helpdesk_core.tenancy import set_organization
from helpdesk_core.web.context import Context


def visit(ctx: Context, slug: str, plugin: str) -> Viewer:
    """Open the session of a public page for an organisation, and return for whom the page is read.

    Whoever is signed in there is themselves. All others, members of other organisations among them, are visitors: they
    have no account (`user_id` is 0) and may do nothing, so that visibilities show them what anybody may see.

    Args:
        ctx: of an endpoint with `public=True`.
        slug: of the organisation.
        plugin: the id of the plugin whose page it is.

    Raises:
        NotFound: there is no such organisation, it is closed, or it has the plugin off.
    """
    found = ctx.session.scalars(select(Organization).where(Organization.slug == slug, Organization.is_active)).first()
    if found is None:
        raise NotFound
    disabled = frozenset(found.disabled_plugins)
    visitor = Actor(0, found.id, "", tier=found.subscription_tier, disabled_plugins=disabled)
    bus: Bus = ctx.session.info["bus"]
    host: PluginHost = bus.extra[PluginHost]
    if host.gate.closed(plugin, visitor) is not None:
        raise NotFound
    set_organization(ctx.session, found.id)
    return Viewer(_caller(ctx, visitor), ctx.dialect, ctx.now, ctx.include)


def _caller(ctx: Context, visitor: Actor) -> Actor:
    """Return who calls, if they belong to the organisation and are signed in for good."""
    actor = ctx.principal.actor if ctx.principal else visitor
    return visitor if actor.organization_id != visitor.organization_id or actor.must_enroll else actor
