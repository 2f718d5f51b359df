"""Asking for the password again, where an open browser or a stolen token must not be enough."""

from helpdesk_core.accounts.errors import WrongProof
from helpdesk_core.accounts.models import User
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.service import delays
from helpdesk_core.errors import FieldError
from helpdesk_core.web.context import Context


def is_own_password(ctx: Context, password: str) -> bool:
    """Tell whether `password` is the caller's; hashes, so it belongs before the writing transaction.

    Raises:
        RateLimitExceeded: too many were wrong (429).
    """
    user_id = ctx.actor.user_id
    delays.refuse_waiting(ctx.session, delays.proofs_of(user_id))
    stored = ctx.session.get_one(User, user_id).password_hash
    return ctx.services.get(Passwords).verify(stored, password)


def insist(ctx: Context, *, proved: bool, field: str) -> None:
    """Go on only with the right password; a wrong one is counted, together with wrong codes.

    Raises:
        WrongProof: it was wrong (400).
        RateLimitExceeded: other tries failed meanwhile (429).
    """
    series = delays.proofs_of(ctx.actor.user_id)
    delays.begin(ctx.session, series)
    if not proved:
        delays.fail(ctx.session, series)
        raise WrongProof(errors=[FieldError(field, "This is not your password.")])
    delays.withdraw(ctx.session, series)
