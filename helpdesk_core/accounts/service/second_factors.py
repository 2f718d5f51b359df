"""The verbs of second factors: devices that make one-time codes, and the backup codes that stand in for them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.accounts.backup_codes import KeptCode
from helpdesk_core.accounts.errors import (
    LastDevice,
    NothingToVerify,
    SecondFactorKept,
    SecondFactorOff,
    SecondFactorOn,
    TooManyDevices,
)
from helpdesk_core.accounts.events import (
    BackupCodesRenewed,
    SecondFactorAdded,
    SecondFactorDisabled,
    SecondFactorRemoved,
)
from helpdesk_core.accounts.models import BackupCode, Login, Organization, SecondFactor, User
from helpdesk_core.accounts.queries import core_settings
from helpdesk_core.accounts.schemas.types import key_of
from helpdesk_core.accounts.service.codes import ACTIVE, PENDING, Evidence, is_on, take
from helpdesk_core.accounts.service.locks import held_organization, locked_user
from helpdesk_core.errors import AlreadyExists
from helpdesk_core.events import now, publish

MOST_DEVICES = 10


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device as it will be stored.

    Attributes:
        name: given by its owner.
        secret: encrypted by `Vault`.
        codes: its backup codes.
    """

    name: str
    secret: str
    codes: list[KeptCode]


def is_required(organization: Organization, role: str) -> bool:
    """Tell whether an organisation asks a role for a second factor."""
    return role in core_settings(organization).two_factor_roles


def must_enroll(session: Session, user: User) -> bool:
    """Tell whether a user has to set up a second factor before anything else.

    The answer holds until the transaction ends: whoever asks the role for one now waits, and finds what was written.
    """
    organization = held_organization(session, user.organization_id)
    return is_required(organization, user.role) and not is_on(session, user.id)


def count_devices(session: Session, user_id: int) -> int:
    """Return how many verified devices a user has."""
    wanted = select(func.count()).select_from(SecondFactor).where(SecondFactor.user_id == user_id, ACTIVE)
    return session.scalar(wanted) or 0


def refuse_taken_name(session: Session, user_id: int, name: str) -> None:
    """Refuse a device that could not be stored.

    Raises:
        AlreadyExists: a verified device of the user has this name (409).
        TooManyDevices: there are ten of them already (409).
    """
    named = select(SecondFactor.id).where(
        SecondFactor.user_id == user_id, SecondFactor.name_key == key_of(name), ACTIVE
    )
    if session.scalar(named) is not None:
        raise AlreadyExists.field("device_name", "You have a device of this name.")
    if count_devices(session, user_id) >= MOST_DEVICES:
        raise TooManyDevices


def refuse_unproved(session: Session, user_id: int) -> None:
    """Refuse a device without a proof of ownership, which only a first one needs not have.

    Raises:
        SecondFactorOn: a device of the user was verified since it was looked whether there is one (409).
    """
    _lock(session, user_id)
    if is_on(session, user_id):
        raise SecondFactorOn


def set_up(session: Session, user_id: int, device: NewDevice) -> None:
    """Store a device that makes no difference until it is verified, in place of one that never was.

    Raises:
        AlreadyExists: a verified device of the user has this name (409).
        TooManyDevices: there are ten of them already (409).
    """
    _lock(session, user_id)
    refuse_taken_name(session, user_id, device.name)
    session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id, PENDING))
    session.execute(delete(BackupCode).where(BackupCode.user_id == user_id, BackupCode.confirmed_at.is_(None)))
    moment = now(session)
    session.add(
        SecondFactor(
            user_id=user_id, name=device.name, name_key=key_of(device.name), secret=device.secret, created_at=moment
        )
    )
    _add_codes(session, user_id, device.codes, confirmed_at=None)
    audit.record(session, "second_factor.set_up", "user", user_id, after={"device": device.name})


def refuse_nothing_pending(session: Session, user_id: int) -> None:
    """Raise `NothingToVerify` (409) unless a device of the user waits to be verified."""
    if session.scalar(select(SecondFactor.id).where(SecondFactor.user_id == user_id, PENDING)) is None:
        raise NothingToVerify


def confirm(session: Session, user_id: int, evidence: Evidence | None) -> bool:
    """Let a device count from now on, with its backup codes instead of earlier ones; no if the code is wrong."""
    _lock(session, user_id)
    if not take(session, user_id, evidence) or evidence is None or evidence.device_id is None:
        return False
    moment = now(session)
    session.execute(update(SecondFactor).where(SecondFactor.id == evidence.device_id).values(confirmed_at=moment))
    session.execute(delete(BackupCode).where(BackupCode.user_id == user_id, BackupCode.confirmed_at.is_not(None)))
    session.execute(update(BackupCode).where(BackupCode.user_id == user_id).values(confirmed_at=moment))
    session.execute(update(Login).where(Login.user_id == user_id, Login.must_enroll).values(must_enroll=False))
    audit.record(session, "second_factor.added", "second_factor", evidence.device_id)
    publish(session, SecondFactorAdded(user_id=user_id, device_id=evidence.device_id))
    return True


def refuse_last_device(session: Session, device: SecondFactor) -> None:
    """Raise `LastDevice` (409) if a device is the only verified one of its user."""
    if device.confirmed_at is not None and count_devices(session, device.user_id) == 1:
        raise LastDevice


def remove_device(session: Session, device: SecondFactor) -> None:
    """Remove a device; its codes stop working at once.

    Raises:
        LastDevice: it is the only verified one (409).
    """
    _lock(session, device.user_id)
    refuse_last_device(session, device)
    session.delete(device)
    session.flush()
    audit.record(session, "second_factor.removed", "second_factor", device.id, before={"device": device.name})
    publish(session, SecondFactorRemoved(user_id=device.user_id, device_id=device.id))


def refuse_disabling(session: Session, user: User) -> None:
    """Refuse to turn off what is not on, or what has to stay on.

    Raises:
        SecondFactorOff: there is none (409).
        SecondFactorKept: the organisation asks the user's role for it (403).
    """
    if not is_on(session, user.id):
        raise SecondFactorOff
    if is_required(session.get_one(Organization, user.organization_id), user.role):
        raise SecondFactorKept


def disable(session: Session, user: User) -> None:
    """Remove every device and backup code of a user; raises what `refuse_disabling` does."""
    _lock(session, user.id)
    refuse_disabling(session, user)
    _remove_all(session, user)


def reset(session: Session, user: User) -> None:
    """Do the same for somebody who has lost them, as an administrator; where the role needs one, they set up another.

    Raises:
        SecondFactorOff: there is none (409).
    """
    _lock(session, user.id)
    if not is_on(session, user.id):
        raise SecondFactorOff
    _remove_all(session, user)
    require_two_factor(session, session.get_one(Organization, user.organization_id), user.id)


def _remove_all(session: Session, user: User) -> None:
    session.execute(delete(SecondFactor).where(SecondFactor.user_id == user.id))
    session.execute(delete(BackupCode).where(BackupCode.user_id == user.id))
    audit.record(session, "second_factor.disabled", "user", user.id)
    publish(session, SecondFactorDisabled(user_id=user.id))


def renew_backup_codes(session: Session, user_id: int, codes: list[KeptCode]) -> None:
    """Give a user new backup codes; those of a device that waits to be verified stay with it.

    Raises:
        SecondFactorOff: there is no device that they could stand in for (409).
    """
    _lock(session, user_id)
    if not is_on(session, user_id):
        raise SecondFactorOff
    session.execute(delete(BackupCode).where(BackupCode.user_id == user_id, BackupCode.confirmed_at.is_not(None)))
    _add_codes(session, user_id, codes, confirmed_at=now(session))
    audit.record(session, "second_factor.backup_codes_renewed", "user", user_id)
    publish(session, BackupCodesRenewed(user_id=user_id))


def require_two_factor(session: Session, organization: Organization, user_id: int | None = None) -> None:
    """Bring open logins in line with what the organisation asks of roles now.

    Logins of users who lack a second factor that they need can do nothing else until they set one up; those that were
    held up for a reason that is gone are free again.

    Args:
        session: of the organisation.
        organization: whose setting or member has changed.
        user_id: the member, when it is one alone.
    """
    roles = core_settings(organization).two_factor_roles
    enrolled = select(SecondFactor.user_id).where(ACTIVE)
    lacking = select(User.id).where(
        User.organization_id == organization.id, User.role.in_(roles), User.id.not_in(enrolled)
    )
    logins = update(Login).where(Login.organization_id == organization.id, Login.ended_at.is_(None))
    if user_id is not None:
        logins = logins.where(Login.user_id == user_id)
    session.flush()
    for wanted, users in ((True, Login.user_id.in_(lacking)), (False, Login.user_id.not_in(lacking))):
        held = logins.where(users, Login.must_enroll.is_not(wanted)).values(must_enroll=wanted)
        session.execute(held, execution_options={"synchronize_session": False})


def _lock(session: Session, user_id: int) -> None:
    """Let the changes of one user's second factors happen one after the other."""
    locked_user(session, user_id)


def _add_codes(session: Session, user_id: int, codes: list[KeptCode], *, confirmed_at: datetime | None) -> None:
    moment = now(session)
    session.add_all(
        BackupCode(
            user_id=user_id,
            selector=code.selector,
            code_hash=code.code_hash,
            created_at=moment,
            confirmed_at=confirmed_at,
        )
        for code in codes
    )
    session.flush()
