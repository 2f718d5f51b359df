"""How far one's authority reaches: nobody gives, or works on, more than they have themselves."""

from collections.abc import Iterable

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from helpdesk_core.accounts.errors import BeyondOneself, LastAdministrator
from helpdesk_core.accounts.models import CustomRole, RoleAssignment, User
from helpdesk_core.permissions import ROLES, Actor, RolePermissions


class Authority:
    """What one person may hand out, and over whom they may decide.

    Attributes:
        actor: who acts.
    """

    def __init__(self, actor: Actor, roles: RolePermissions) -> None:
        """Keep who acts and what the roles may do."""
        self.actor = actor
        self._roles = roles
        self._everything = roles.for_role(ROLES[-1], platform=False) <= actor.permissions

    def require_codes(self, codes: Iterable[str]) -> None:
        """Refuse permissions that the actor does not have; those of a plugin that is gone give nothing.

        Raises:
            BeyondOneself: and `details.permissions` names them (403).
        """
        missing = sorted(self._roles.granted(codes) - self.actor.permissions)
        if missing:
            raise BeyondOneself(details={"permissions": missing})

    def require_role(self, role: str) -> None:
        """Refuse a built-in role that may do what the actor may not; everybody can be a customer.

        Raises:
            BeyondOneself: (403).
        """
        if role != ROLES[0] and not self._everything:
            self.require_codes(self._roles.for_role(role, platform=False))

    def require_over(self, session: Session, user: User) -> None:
        """Refuse to decide over somebody who may do what the actor may not: an API key over its owner, for instance.

        Raises:
            BeyondOneself: (403).
        """
        if user.is_platform_admin and not self.actor.is_platform_admin:
            raise BeyondOneself
        custom = assigned_role(session, user.id)
        if custom is None:
            self.require_role(user.role)
        else:
            self.require_codes(custom.permissions)


def assigned_role(session: Session, user_id: int) -> CustomRole | None:
    """Return the custom role of a user, if they have one."""
    has = and_(RoleAssignment.role_id == CustomRole.id, RoleAssignment.user_id == user_id)
    return session.scalars(select(CustomRole).join(RoleAssignment, has)).first()


def administers(session: Session, user: User) -> bool:
    """Tell whether a user is an administrator: has the built-in role, not one that was made from it."""
    return user.role == ROLES[-1] and assigned_role(session, user.id) is None


def refuse_without_administrator(session: Session) -> None:
    """Refuse what was just done if no administrator is left.

    Custom roles do not count, whatever they give: only somebody who may do everything can make an administrator.
    Called after the audit entry was added: the lock of its chain lets two who depose each other do so one by one.

    Raises:
        LastAdministrator: nobody active is one (409).
    """
    assigned = and_(RoleAssignment.user_id == User.id, RoleAssignment.organization_id == User.organization_id)
    administrators = (
        select(func.count())
        .select_from(User)
        .outerjoin(RoleAssignment, assigned)
        .where(User.is_active, User.role == ROLES[-1], RoleAssignment.role_id.is_(None))
    )
    if not session.scalar(administrators):
        raise LastAdministrator
