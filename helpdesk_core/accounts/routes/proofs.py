"""Asking for proof that it is still the owner: an open browser or a stolen token must not be enough.

What was sent is looked at before the writing transaction, because hashing takes its time, and insisted on inside it.
Wrong passwords and wrong codes of one person are counted together.
"""

from dataclasses import dataclass

from helpdesk_core.accounts.errors import WrongProof
from helpdesk_core.accounts.models import User
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.routes.sign_in import checker_of
from helpdesk_core.accounts.schemas.second_factors import Proof
from helpdesk_core.accounts.service import codes, delays
from helpdesk_core.accounts.service.codes import Evidence
from helpdesk_core.errors import FieldError, Invalid
from helpdesk_core.web.context import Context

WRONG_CODE = FieldError("code", "This code is wrong or was used before.")


@dataclass(frozen=True, slots=True)
class CheckedProof:
    """What was sent, after a look at it.

    Attributes:
        problems: what is wrong with it.
        evidence: the code that is right, if one was sent.
    """

    problems: tuple[FieldError, ...] = ()
    evidence: Evidence | None = None


def look_at_password(ctx: Context, password: str, field: str = "password") -> CheckedProof:
    """Look whether `password` is the caller's; `field` is what the body calls it.

    Raises:
        RateLimitExceeded: too many were wrong (429).
    """
    user_id = ctx.actor.user_id
    delays.refuse_waiting(ctx.session, delays.proofs_of(user_id))
    stored = ctx.session.get_one(User, user_id).password_hash
    if ctx.services.get(Passwords).verify(stored, password):
        return CheckedProof()
    return CheckedProof((FieldError(field, "This is not your password."),))


def look_at_proof(ctx: Context, body: Proof) -> CheckedProof:
    """Look whether the password and the code that were sent are right; at least one of them must be there.

    Raises:
        RateLimitExceeded: too many were wrong (429).
    """
    if body.password is None and body.code is None:
        raise Invalid.field("password", "Send your password, or a code of your second factor as code.")
    user_id = ctx.actor.user_id
    delays.refuse_waiting(ctx.session, delays.proofs_of(user_id))
    problems: list[FieldError] = []
    evidence = None
    if body.password is not None:
        problems += look_at_password(ctx, body.password).problems
    if body.code is not None:
        evidence = codes.evidence_of(ctx.session, checker_of(ctx), user_id, body.code, ctx.now)
        if evidence is None:
            problems.append(WRONG_CODE)
    return CheckedProof(tuple(problems), evidence)


def insist(ctx: Context, proof: CheckedProof) -> None:
    """Use the code up that was sent; count it as a failure if anything is wrong.

    Raises:
        WrongProof: something is (400).
        RateLimitExceeded: other tries failed meanwhile (429).
    """
    user_id = ctx.actor.user_id
    series = delays.proofs_of(user_id)
    delays.begin(ctx.session, series)
    problems = proof.problems
    if not problems and proof.evidence is not None and not codes.take(ctx.session, user_id, proof.evidence):
        problems = (WRONG_CODE,)
    if problems:
        delays.fail(ctx.session, series)
        raise WrongProof(errors=problems)
    delays.withdraw(ctx.session, series)
