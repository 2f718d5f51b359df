"""One's own account: registering, the profile, the password."""

from dataclasses import dataclass

from helpdesk_core.accounts import permissions, queries, service
from helpdesk_core.accounts.errors import RegistrationClosed
from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.accounts.passwords import Passwords, password_problem
from helpdesk_core.accounts.routes.answers import as_they_see_themselves, shown
from helpdesk_core.accounts.routes.proofs import CheckedProof, insist, look_at_password
from helpdesk_core.accounts.schemas.types import domain_of, key_of
from helpdesk_core.accounts.schemas.users import (
    PasswordChange,
    ProfileUpdate,
    Registered,
    Registration,
    UserExtras,
    UserRead,
)
from helpdesk_core.errors import FieldError, Invalid
from helpdesk_core.schemas import Dialect, Message, changes
from helpdesk_core.tenancy import set_organization, set_unscoped
from helpdesk_core.web.context import Context
from helpdesk_core.web.limits import Limits
from helpdesk_core.web.routing import Router

router = Router("users", tag="Users", document=Dialect.COMPREHENSIVE)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A registration that may go ahead."""

    organization: Organization
    password_hash: str


def admit(ctx: Context, body: Registration) -> Admitted:
    """Check what the schema cannot: the password, the organisation, and whether that takes registrations."""
    ctx.services.get(Limits).spend_for(ctx, "authentication", f"registration:{key_of(body.email)}")
    set_unscoped(ctx.session)
    default = ctx.services.settings.default_organization
    organization = queries.registering_organization(ctx.session, body.organization_slug, default, body.email)
    problems = []
    names = (body.username, body.email, body.first_name, body.last_name, f"{body.first_name} {body.last_name}")
    if problem := password_problem(body.password, names):
        problems.append(FieldError("password", problem))
    if organization is None:
        problems.append(FieldError("organization_slug", "There is no such organization."))
    if organization is None or problems:
        raise Invalid(errors=problems)
    if not accepts(organization, body.email):
        raise RegistrationClosed
    return Admitted(organization, ctx.services.get(Passwords).hash(body.password))


def accepts(organization: Organization, email: str) -> bool:
    """Tell whether an organisation takes a registration with this address (decision D4)."""
    if organization.registration == "domain":
        return organization.domain_verified_at is not None and domain_of(email) == organization.domain
    return organization.registration == "open"


@router.post(
    "/register/", public=True, limit="authentication", status=201, slow=True, prepare=admit, include=UserExtras
)
def register(ctx: Context, body: Registration, prepared: Admitted) -> Registered:
    """Make an account for oneself, as a customer of an organization."""
    set_organization(ctx.session, prepared.organization.id)
    user = service.add_user(ctx.session, prepared.organization, body, prepared.password_hash)
    return shown(Registered, message="User created successfully", user=as_they_see_themselves(ctx, user))


@router.get("/profile/", permission=permissions.USE, enrolling=True, include=UserExtras)
def retrieve_profile(ctx: Context) -> UserRead:
    """One's own account."""
    return ctx.one(queries.users, ctx.actor.user_id)


@router.put("/profile/", permission=permissions.USE, include=UserExtras)
def change_profile(ctx: Context, body: ProfileUpdate) -> UserRead:
    """Change one's own account; fields that are not sent keep their values, null clears."""
    user = ctx.session.get_one(User, ctx.actor.user_id)
    service.change_user(ctx.session, user, changes(body))
    return ctx.one(queries.users, user.id)


@dataclass(frozen=True, slots=True)
class CheckedChange:
    """A new password before it is stored: the look at the old one, and the hash, if that was right."""

    proof: CheckedProof
    password_hash: str = ""


def check_passwords(ctx: Context, body: PasswordChange) -> CheckedChange:
    """Look at the old password, then hash the new one."""
    proof = look_at_password(ctx, body.old_password, field="old_password")
    if proof.problems:
        return CheckedChange(proof)
    if problem := password_problem(body.new_password, queries.names_of(ctx.session, ctx.actor.user_id)):
        raise Invalid.field("new_password", problem)
    return CheckedChange(proof, ctx.services.get(Passwords).hash(body.new_password))


@router.post(
    "/change-password/", permission=permissions.USE, personal=True, enrolling=True, slow=True, prepare=check_passwords
)
def change_password(ctx: Context, body: PasswordChange, prepared: CheckedChange) -> Message:  # noqa: ARG001
    """Change one's own password; every other login of one's own ends."""
    insist(ctx, prepared.proof)
    login_id = ctx.principal.login_id if ctx.principal else None
    service.change_password(ctx.session, ctx.actor.user_id, prepared.password_hash, keep_login=login_id)
    return Message(message="Password changed successfully")
