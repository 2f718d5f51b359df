"""Acting for somebody who is not there: with the rights that they have at this moment."""

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from helpdesk_core.accounts.models import CustomRole, Organization, RoleAssignment, User
from helpdesk_core.events import Bus
from helpdesk_core.permissions import Actor, RolePermissions
from helpdesk_core.plugins import PluginHost


def actor_of(session: Session, user_id: int) -> Actor | None:
    """Return a user of the session's organisation as who acts, for what is done later in their name.

    Returns:
        The actor with their present rights; nothing when their account or their organisation is closed, or gone.
    """
    assigned = and_(RoleAssignment.user_id == User.id, RoleAssignment.organization_id == User.organization_id)
    columns = (
        User.organization_id,
        User.role,
        User.is_platform_admin,
        CustomRole.permissions,
        Organization.subscription_tier,
        Organization.disabled_plugins,
    )
    row = session.execute(
        select(*columns)
        .join(Organization, Organization.id == User.organization_id)
        .outerjoin(RoleAssignment, assigned)
        .outerjoin(CustomRole, CustomRole.id == RoleAssignment.role_id)
        .where(User.id == user_id, User.is_active, Organization.is_active)
    ).first()
    if row is None:
        return None
    organization_id, role, platform, custom, tier, disabled = row
    roles = _roles(session)
    if custom is None:
        permissions = roles.for_role(role, platform=platform)
    else:
        permissions = roles.granted(custom) | roles.for_role("", platform=platform)
    return Actor(user_id, organization_id, role, platform, permissions, tier, frozenset(disabled))


def _roles(session: Session) -> RolePermissions:
    bus: Bus = session.info["bus"]
    host: PluginHost = bus.extra[PluginHost]
    return host.roles
