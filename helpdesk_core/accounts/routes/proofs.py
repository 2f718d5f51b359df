"""Asking for proof that it is still the owner: an open browser or a stolen token must not be enough.

What was sent is looked at before the writing transaction, because hashing takes its time, and insisted on inside it.
Wrong passwords and wrong codes of one person are counted together.
"""

from dataclasses import dataclass, replace

from sqlalchemy import select

from helpdesk_core.accounts.errors import WrongProof
from helpdesk_core.accounts.models import Login, User
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.routes.sign_in import checker_of
from helpdesk_core.accounts.schemas.second_factors import Proof
from helpdesk_core.accounts.service import codes, delays
from helpdesk_core.accounts.service.codes import Evidence
from helpdesk_core.accounts.service.locks import locked_user
from helpdesk_core.errors import FieldError, Invalid, Unauthenticated
from helpdesk_core.web.context import Context

WRONG_CODE = FieldError("code", "This code is wrong or was used before.")


@dataclass(frozen=True, slots=True)
class CheckedProof:
    """What was sent, after a look at it.

    Attributes:
        problems: what is wrong with it.
        evidence: the code that is right, if one was sent.
        password_hash: that the password was compared with, if one was sent.
        password_field: what the body calls the password.
    """

    problems: tuple[FieldError, ...] = ()
    evidence: Evidence | None = None
    password_hash: str | None = None
    password_field: str = "password"  # noqa: S105 - the name of a field


def look_at_password(ctx: Context, password: str, field: str = "password") -> CheckedProof:
    """Look whether `password` is the caller's; `field` is what the body calls it.

    Raises:
        RateLimitExceeded: too many were wrong (429).
    """
    user_id = ctx.actor.user_id
    delays.refuse_waiting(ctx.session, delays.proofs_of(user_id))
    stored = ctx.session.get_one(User, user_id).password_hash
    right = ctx.services.get(Passwords).verify(stored, password)
    return CheckedProof(() if right else (_wrong_password(field),), password_hash=stored, password_field=field)


def look_at_proof(ctx: Context, body: Proof) -> CheckedProof:
    """Look whether the password and the code that were sent are right; at least one of them must be there.

    Raises:
        RateLimitExceeded: too many were wrong (429).
    """
    if body.password is None and body.code is None:
        raise Invalid.field("password", "Send your password, or a code of your second factor as code.")
    user_id = ctx.actor.user_id
    delays.refuse_waiting(ctx.session, delays.proofs_of(user_id))
    proof = CheckedProof() if body.password is None else look_at_password(ctx, body.password)
    if body.code is None:
        return proof
    evidence = codes.evidence_of(ctx.session, checker_of(ctx), user_id, body.code, ctx.now)
    problems = proof.problems if evidence is not None else (*proof.problems, WRONG_CODE)
    return replace(proof, problems=problems, evidence=evidence)


def insist(ctx: Context, proof: CheckedProof) -> None:
    """Use the code up that was sent; count it as a failure if anything is wrong.

    From here on nobody else changes the caller's account, until the transaction ends.

    Raises:
        WrongProof: something is, or the password was changed since it was looked at (400).
        Unauthenticated: the caller's login has ended since then (401).
        RateLimitExceeded: other tries failed meanwhile (429).
    """
    user_id = ctx.actor.user_id
    series = delays.proofs_of(user_id)
    delays.begin(ctx.session, series)
    user = locked_user(ctx.session, user_id)
    refuse_ended(ctx)
    problems = proof.problems
    if not problems and proof.password_hash not in {None, user.password_hash}:
        problems = (_wrong_password(proof.password_field),)
    if not problems and proof.evidence is not None and not codes.take(ctx.session, user_id, proof.evidence):
        problems = (WRONG_CODE,)
    if problems:
        delays.fail(ctx.session, series)
        raise WrongProof(errors=problems)
    delays.withdraw(ctx.session, series)


def refuse_ended(ctx: Context) -> None:
    """Refuse a request whose login has ended since it came in: preparing takes its time.

    Raises:
        Unauthenticated: it has (401).
    """
    login_id = ctx.principal.login_id if ctx.principal else None
    ended = select(Login.id).where(Login.id == login_id, Login.ended_at.is_not(None))
    if login_id is not None and ctx.session.scalar(ended) is not None:
        raise Unauthenticated


def _wrong_password(field: str) -> FieldError:
    return FieldError(field, "This is not your password.")
