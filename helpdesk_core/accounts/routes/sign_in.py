"""Who may log in: a password, and a code where there is a second factor, looked at before anything is written.

Every way to log in, whatever it hands out in the end, goes through two functions: `check_credentials` before the
writing transaction, because hashing takes its time, and `admit` inside it. The second step of a login that began
without a code is `check_challenge` and `admit_by_challenge`.
"""

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from helpdesk_core.accounts import queries, service
from helpdesk_core.accounts.backup_codes import BackupCodes
from helpdesk_core.accounts.challenges import BadChallenge, Challenge, Challenges
from helpdesk_core.accounts.errors import CodeRequired, EmailNotVerified, InvalidCredentials, WrongCode
from helpdesk_core.accounts.models import User
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.queries import Account
from helpdesk_core.accounts.routes.answers import client_of
from helpdesk_core.accounts.schemas.tokens import ChallengeAnswer, Credentials
from helpdesk_core.accounts.schemas.types import key_of
from helpdesk_core.accounts.service import codes, delays
from helpdesk_core.accounts.service.codes import Checker, Evidence
from helpdesk_core.accounts.service.locks import locked_user
from helpdesk_core.accounts.service.logins import Issued
from helpdesk_core.accounts.tokens import Tokens
from helpdesk_core.keys import Vault
from helpdesk_core.schemas import Dialect
from helpdesk_core.tenancy import set_organization, set_unscoped
from helpdesk_core.web.context import Context
from helpdesk_core.web.limits import Limits


@dataclass(frozen=True, slots=True)
class Checked:
    """Credentials after a look at the account that they name, if there is one.

    Attributes:
        account: the account of that name.
        right: whether the password opens it.
        renewed_hash: what to store instead, when the password was hashed at another cost than today's.
        takes_code: whether the account has a second factor.
        evidence: that the code is right, if it is.
    """

    account: Account | None
    right: bool
    renewed_hash: str | None = None
    takes_code: bool = False
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """An account that may be logged in to.

    Attributes:
        account: as it was when its password was looked at.
        name: what it was called in the request.
        renewed_hash: what to store instead of the password's hash, if that was made at another cost than today's.
    """

    account: Account
    name: str
    renewed_hash: str | None = None


@dataclass(frozen=True, slots=True)
class CheckedChallenge:
    """The answer to a challenge after a look at it.

    Attributes:
        challenge: as it was issued.
        account: whose password was right.
        evidence: that the code is right, if it is.
    """

    challenge: Challenge
    account: Account
    evidence: Evidence | None


def checker_of(ctx: Context) -> Checker:
    """Return what it takes to look at codes."""
    return Checker(ctx.services.get(Vault), ctx.services.get(BackupCodes), ctx.services.get(Passwords))


def check_credentials(ctx: Context, body: Credentials) -> Checked:
    """Look whether the password is right and the account open, and whether the code is right if it takes one.

    An unknown name, a wrong password and a closed account take the same work, so that nobody can tell them apart.

    Raises:
        RateLimitExceeded: so many tries failed that this one comes too early (429).
    """
    ctx.services.get(Limits).spend_for(ctx, "authentication", f"account:{key_of(body.username)}")
    set_unscoped(ctx.session)
    account = queries.account_by_name(ctx.session, body.username)
    delays.refuse_waiting(ctx.session, *delays.logins_of(body.username, account, ctx.incoming.address))
    passwords = ctx.services.get(Passwords)
    right = passwords.verify(account.password_hash if account else None, body.password)
    if account is None or not right or not account.is_active:
        return Checked(account, right=False)
    outdated = passwords.is_outdated(account.password_hash)
    renewed = passwords.hash(body.password) if outdated else None
    if not codes.is_on(ctx.session, account.id):
        return Checked(account, right=True, renewed_hash=renewed)
    evidence = _evidence(ctx, account.id, body.otp) if body.otp is not None else None
    return Checked(account, right=True, renewed_hash=renewed, takes_code=True, evidence=evidence)


def admit(ctx: Context, body: Credentials, checked: Checked, dialect: Dialect) -> Admission:
    """Return what `begin_login` takes; `ctx.session` works for its organisation from here on.

    Args:
        ctx: with a session that has no organisation yet.
        body: what was sent.
        checked: what `check_credentials` found.
        dialect: the document of the endpoint, in which the second step would be answered as well.

    Raises:
        InvalidCredentials: the password is wrong, or there is no such account, or it is closed (401).
        CodeRequired: a code is missing; `details.challenge_token` takes it at `/users/2fa/login/` (401).
        WrongCode: the code is wrong or was used before (401).
        EmailNotVerified: the organisation lets in whoever has an address of its domain, and they have not shown that
            it is theirs; another link is mailed (403).
        RateLimitExceeded: other tries failed meanwhile (429).
    """
    session, account = ctx.session, checked.account
    _place(session, account)
    series = delays.logins_of(body.username, account, ctx.incoming.address)
    delays.begin(session, *series)
    if account is None or not checked.right:
        delays.fail(session, *series)
        _record(ctx, body.username, account, succeeded=False)
        raise InvalidCredentials
    delays.clear(session, *series)
    if checked.takes_code:
        details = {"otp_required": True, "challenge_token": _challenge(ctx, account, dialect)}
        if body.otp is None:
            raise CodeRequired(details=details)
        _take_code(ctx, body.username, account, checked.evidence, WrongCode(details=details))
    _refuse_unverified(ctx, account)
    admission = Admission(account, body.username, checked.renewed_hash)
    return admission if checked.renewed_hash is None else _as_renewed(ctx, admission, body.password)


def begin_login(ctx: Context, admission: Admission) -> Issued:
    """Begin a login of an account that was admitted, and record what came of it.

    Raises:
        InvalidCredentials: the account has changed since it was looked at (401).
    """
    account, lifetime = admission.account, ctx.services.get(Tokens).refresh_lifetime
    try:
        issued = service.log_in(ctx.session, account, client_of(ctx), lifetime, renewed_hash=admission.renewed_hash)
    except InvalidCredentials:
        _record(ctx, admission.name, account, succeeded=False)
        raise
    _record(ctx, admission.name, account, succeeded=True)
    return issued


def check_challenge(ctx: Context, body: ChallengeAnswer) -> CheckedChallenge:
    """Look whether the challenge is ours, and the code right.

    Raises:
        BadChallenge: it is not, or the account is closed (401).
        RateLimitExceeded: too many codes were wrong (429).
    """
    set_unscoped(ctx.session)
    challenge = ctx.services.get(Challenges).read(body.challenge_token)
    ctx.services.get(Limits).spend_for(ctx, "authentication", f"user:{challenge.user_id}")
    account = queries.account_by_id(ctx.session, challenge.user_id)
    if account is None or not account.is_active:
        raise BadChallenge
    return CheckedChallenge(challenge, account, _evidence(ctx, account.id, body.code))


def admit_by_challenge(ctx: Context, checked: CheckedChallenge) -> Admission:
    """Return what `begin_login` takes, as `admit` does.

    Raises:
        BadChallenge: the password was changed, or a code of the account used, since the challenge was issued (401).
        WrongCode: the code is wrong or was used before (401).
        EmailNotVerified: as for `admit` (403).
        RateLimitExceeded: too many codes were wrong (429).
    """
    account = checked.account
    _place(ctx.session, account)
    name = ctx.session.get_one(User, account.id).username
    wrong = WrongCode(details={"otp_required": True})
    _take_code(ctx, name, account, checked.evidence, wrong, state=checked.challenge.state)
    _refuse_unverified(ctx, account)
    return Admission(account, name)


def _place(session: Session, account: Account | None) -> None:
    if account is None:
        set_unscoped(session)
    else:
        set_organization(session, account.organization_id)


def _evidence(ctx: Context, user_id: int, code: str) -> Evidence | None:
    delays.refuse_waiting(ctx.session, delays.proofs_of(user_id))
    return codes.evidence_of(ctx.session, checker_of(ctx), user_id, code, ctx.now)


def _challenge(ctx: Context, account: Account, dialect: Dialect) -> str:
    state = codes.state_of(ctx.session, account)
    return ctx.services.get(Challenges).issue(Challenge(account.id, state, dialect))


def _take_code(
    ctx: Context, name: str, account: Account, evidence: Evidence | None, wrong: WrongCode, *, state: str | None = None
) -> None:
    """Use the code up, or count the failure; `state` is what a challenge was issued for."""
    proofs = delays.proofs_of(account.id)
    delays.begin(ctx.session, proofs)
    if state is not None and state != codes.state_of(ctx.session, account):
        raise BadChallenge
    locked_user(ctx.session, account.id)  # before the rows of the code, in the order of `service.locks`
    if not codes.take(ctx.session, account.id, evidence):
        delays.fail(ctx.session, proofs)
        _record(ctx, name, account, succeeded=False)
        raise wrong
    delays.withdraw(ctx.session, proofs)


def _as_renewed(ctx: Context, admission: Admission, password: str) -> Admission:
    """Go by the hash that another login has stored for the same password meanwhile, if one has."""
    stored = locked_user(ctx.session, admission.account.id).password_hash
    if stored == admission.account.password_hash or not ctx.services.get(Passwords).verify(stored, password):
        return admission
    return Admission(replace(admission.account, password_hash=stored), admission.name)


def _refuse_unverified(ctx: Context, account: Account) -> None:
    if account.must_verify:
        service.resend_verification(ctx.session, account.id)
        raise EmailNotVerified


def _record(ctx: Context, name: str, account: Account | None, *, succeeded: bool) -> None:
    service.record_attempt(ctx.session, name, account, client_of(ctx), succeeded=succeeded)
