"""Codes of second factors: whether one fits, and using it up.

Looking only reads, and hashes for a backup code (`evidence_of`); using up is one conditional update (`take`), so that
of many requests that bring the same code one gets in.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.accounts import otp
from helpdesk_core.accounts.backup_codes import DIGITS, BackupCodes
from helpdesk_core.accounts.events import BackupCodeUsed
from helpdesk_core.accounts.models import BackupCode, SecondFactor
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.queries import Account
from helpdesk_core.events import now, publish
from helpdesk_core.keys import Undecipherable, Vault

log = logging.getLogger("helpdesk.accounts")

ACTIVE = SecondFactor.confirmed_at.is_not(None)
PENDING = SecondFactor.confirmed_at.is_(None)
USABLE = and_(BackupCode.confirmed_at.is_not(None), BackupCode.used_at.is_(None))


@dataclass(frozen=True, slots=True)
class Checker:
    """What it takes to look at a code.

    Attributes:
        vault: decrypts the devices' secrets.
        backup_codes: finds the hash of a backup code.
        passwords: compares with it.
    """

    vault: Vault
    backup_codes: BackupCodes
    passwords: Passwords


@dataclass(frozen=True, slots=True)
class Evidence:
    """A code that fits; `take` uses it up.

    Attributes:
        device_id: the device that shows it, or nothing for a backup code.
        step: the time step it belongs to.
        backup_code_id: the backup code.
    """

    device_id: int | None = None
    step: int = 0
    backup_code_id: int | None = None


def is_on(session: Session, user_id: int) -> bool:
    """Tell whether logging in takes a code of this user."""
    return session.scalar(select(SecondFactor.id).where(SecondFactor.user_id == user_id, ACTIVE).limit(1)) is not None


def count_backup_codes(session: Session, user_id: int) -> int:
    """Return how many backup codes a user can still use."""
    wanted = select(func.count()).select_from(BackupCode).where(BackupCode.user_id == user_id, USABLE)
    return session.scalar(wanted) or 0


def state_of(session: Session, account: Account) -> str:
    """Return what changes whenever the password changes, a code is used, or a device comes or goes."""
    devices = select(SecondFactor.id, SecondFactor.last_step).where(SecondFactor.user_id == account.id, ACTIVE)
    codes = select(BackupCode.id).where(BackupCode.user_id == account.id, USABLE)
    facts = (
        account.password_hash,
        account.token_version,
        [tuple(row) for row in session.execute(devices.order_by(SecondFactor.id))],
        list(session.scalars(codes.order_by(BackupCode.id))),
    )
    return sha256(repr(facts).encode()).hexdigest()[:32]


def evidence_of(
    session: Session, checker: Checker, user_id: int, code: str, moment: datetime, *, pending: bool = False
) -> Evidence | None:
    """Return what shows that `code` is one of the user's, if it is; a wrong one costs as much as a right one.

    Args:
        session: any that reads; unscoped while somebody logs in.
        checker: what it takes.
        user_id: whose code it should be.
        code: as sent, with blanks or without.
        moment: the present.
        pending: whether a device is meant that is not verified yet; backup codes do not count for that.
    """
    code = "".join(code.split())
    if not pending and len(code) == DIGITS and code.isascii() and code.isdigit():
        return _by_backup_code(session, checker, user_id, code)
    devices = select(SecondFactor).where(SecondFactor.user_id == user_id, PENDING if pending else ACTIVE)
    found = None
    for device in session.scalars(devices):
        step = _step_of(checker.vault, device, code, moment)
        if step is not None and step > device.last_step:
            found = Evidence(device_id=device.id, step=step)
    return found


def take(session: Session, user_id: int, evidence: Evidence | None) -> bool:
    """Use a code up; of two requests that bring the same one, one succeeds."""
    if evidence is None:
        return False
    if evidence.backup_code_id is not None:
        return _take_backup_code(session, user_id, evidence.backup_code_id)
    device = SecondFactor.id == evidence.device_id, SecondFactor.last_step < evidence.step
    used = update(SecondFactor).where(*device).values(last_step=evidence.step, last_used_at=now(session))
    return session.execute(used.returning(SecondFactor.id)).first() is not None


def _step_of(vault: Vault, device: SecondFactor, code: str, moment: datetime) -> int | None:
    try:
        return otp.step_of(vault.decrypt(device.secret), code, moment)
    except Undecipherable:
        log.warning("the secret of a second factor cannot be read", extra={"device_id": device.id})
        return None


def _by_backup_code(session: Session, checker: Checker, user_id: int, code: str) -> Evidence | None:
    selectors = checker.backup_codes.selectors(user_id, code)
    wanted = select(BackupCode.id, BackupCode.code_hash).where(
        BackupCode.user_id == user_id, BackupCode.selector.in_(selectors), USABLE
    )
    row = session.execute(wanted.limit(1)).first()
    if not checker.passwords.verify(row.code_hash if row else None, code) or row is None:
        return None
    return Evidence(backup_code_id=row.id)


def _take_backup_code(session: Session, user_id: int, backup_code_id: int) -> bool:
    used = update(BackupCode).where(BackupCode.id == backup_code_id, USABLE).values(used_at=now(session))
    if session.execute(used.returning(BackupCode.id)).first() is None:
        return False
    audit.record(session, "second_factor.backup_code_used", "user", user_id, actor_id=user_id)
    publish(session, BackupCodeUsed(user_id=user_id, left=count_backup_codes(session, user_id)))
    return True
