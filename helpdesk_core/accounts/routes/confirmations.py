"""What is confirmed by a link in a mail: an address, a forgotten password, another address, an invitation."""

from helpdesk_core.accounts import permissions, queries, service
from helpdesk_core.accounts.links import Links
from helpdesk_core.accounts.models import User
from helpdesk_core.accounts.passwords import Passwords, password_problem
from helpdesk_core.accounts.routes.answers import as_they_see_themselves, shown
from helpdesk_core.accounts.routes.proofs import CheckedProof, insist, look_at_password
from helpdesk_core.accounts.schemas.confirmations import EmailChange, LinkUse, PasswordResetting, ResetRequest
from helpdesk_core.accounts.schemas.invitations import Acceptance
from helpdesk_core.accounts.schemas.types import key_of
from helpdesk_core.accounts.schemas.users import Registered, UserExtras
from helpdesk_core.errors import Invalid
from helpdesk_core.schemas import Dialect, Message
from helpdesk_core.web.context import Context
from helpdesk_core.web.limits import Limits
from helpdesk_core.web.routing import Router

router = Router("users", tag="Users", document=Dialect.COMPREHENSIVE)


@router.post("/verify-email/", public=True)
def verify_email(ctx: Context, body: LinkUse) -> Message:
    """Confirm the address of an account with the token of the mailed link, once."""
    service.verify_email(ctx.session, ctx.services.get(Links), body.token)
    return Message(message="E-mail address verified successfully")


@router.post("/verify-email/resend/", permission=permissions.USE)
def resend_verification(ctx: Context) -> Message:
    """Mail the link that confirms one's own address again, at most once a minute; earlier links stop working."""
    service.resend_verification(ctx.session, ctx.actor.user_id)
    return Message(message="If your address is not verified yet, a mail is on its way to it")


@router.post("/password-reset/", public=True, limit="authentication")
def request_reset(ctx: Context, body: ResetRequest) -> Message:
    """Ask for a mail with a link that sets a new password; the answer is the same for addresses that nobody has."""
    ctx.services.get(Limits).spend_for(ctx, "authentication", f"reset:{key_of(body.email)}")
    default = ctx.services.settings.default_organization
    service.request_reset(ctx.session, body.email, ctx.incoming.address[:45], default)
    return Message(message="If an account has this address, a mail is on its way to it")


def hash_new_password(ctx: Context, body: PasswordResetting) -> str:
    """Return the hash of the new password, once the link has proved good."""
    _, user = service.find_link(ctx.session, ctx.services.get(Links), body.token, "reset_password")
    if problem := password_problem(body.new_password, queries.names_of(ctx.session, user.id)):
        raise Invalid.field("new_password", problem)
    return ctx.services.get(Passwords).hash(body.new_password)


@router.post("/password-reset/confirm/", public=True, limit="authentication", slow=True, prepare=hash_new_password)
def reset_password(ctx: Context, body: PasswordResetting, prepared: str) -> Message:
    """Set a new password with the token of the mailed link, once; every login of the account ends."""
    service.reset_password(ctx.session, ctx.services.get(Links), body.token, prepared)
    return Message(message="Password reset successfully")


def check_owner(ctx: Context, body: EmailChange) -> CheckedProof:
    """Look at the password: whoever finds an open browser must not move the account to an address of their own."""
    if ctx.session.get_one(User, ctx.actor.user_id).email == body.email:
        raise Invalid.field("email", "This is your address already.")
    return look_at_password(ctx, body.password)


@router.post("/change-email/", permission=permissions.USE, personal=True, slow=True, prepare=check_owner)
def request_email_change(ctx: Context, body: EmailChange, prepared: CheckedProof) -> Message:
    """Ask to move one's own account to another address; nothing changes until the link that is mailed there is used."""
    insist(ctx, prepared)
    service.request_email_change(ctx.session, ctx.actor.user_id, body.email)
    return Message(message="A mail is on its way to the new address")


@router.post("/change-email/confirm/", public=True)
def confirm_email(ctx: Context, body: LinkUse) -> Message:
    """Move an account to the address that the link was mailed to, once; the address is verified by that."""
    service.confirm_email(ctx.session, ctx.services.get(Links), body.token)
    return Message(message="E-mail address changed successfully")


def hash_invited_password(ctx: Context, body: Acceptance) -> str:
    """Return the hash of the new account's password, once the link has proved good."""
    invitation, _ = service.find_invitation(ctx.session, ctx.services.get(Links), body.token)
    names = (body.username, invitation.email, body.first_name, body.last_name, f"{body.first_name} {body.last_name}")
    if problem := password_problem(body.password, names):
        raise Invalid.field("password", problem)
    return ctx.services.get(Passwords).hash(body.password)


@router.post(
    "/accept-invitation/",
    public=True,
    limit="authentication",
    status=201,
    slow=True,
    prepare=hash_invited_password,
    include=UserExtras,
)
def accept_invitation(ctx: Context, body: Acceptance, prepared: str) -> Registered:
    """Make the account that an invitation offers, with the token of the mailed link, once."""
    user = service.accept_invitation(ctx.session, ctx.services.get(Links), body, prepared)
    return shown(Registered, message="User created successfully", user=as_they_see_themselves(ctx, user))
