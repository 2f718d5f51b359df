"""Pages of accounts: signing in, and where the links of mails lead.

The links carry their token behind `#`, which no browser sends: it is in no log. A script of the page hands it to the
API when the person says so; programs that follow every link of a mail use nothing up.
"""

from typing import Annotated

from pydantic import Field

from helpdesk_core.accounts import permissions, queries
from helpdesk_core.accounts.models import Organization
from helpdesk_core.queries import Loaded
from helpdesk_core.schemas import Schema, Text
from helpdesk_core.web.context import Context
from helpdesk_core.web.pages import Html, Redirect, local_path
from helpdesk_core.web.routing import Router

HOME = "/account/"

router = Router("account", tag="Pages")


class SignInQuery(Schema):
    """Where to go after signing in."""

    next: Annotated[Text, Field(max_length=2048)] = HOME


@router.get("/", permission=permissions.USE, personal=True, enrolling=True)
def show_account(ctx: Context) -> Html:
    """Who one is signed in as."""
    user = ctx.one(queries.users, ctx.actor.user_id)
    organization = ctx.session.get_one(Organization, ctx.actor.organization_id)
    data = user.data if isinstance(user, Loaded) else {}
    return Html("accounts/account.html", {"user": data, "organization": organization.name})


@router.get("/sign-in/", public=True)
def sign_in(ctx: Context, query: SignInQuery) -> Html | Redirect:
    """Sign in, with a one-time code where the account has a second factor."""
    after = local_path(query.next, HOME)
    if ctx.principal is not None:
        return Redirect(after)
    return Html("accounts/sign_in.html", {"after": after})


@router.get("/forgot-password/", public=True)
def forgot_password(ctx: Context) -> Html:  # noqa: ARG001
    """Ask for a link to choose a new password."""
    return Html("accounts/forgot_password.html")


@router.get("/reset-password/", public=True)
def reset_password(ctx: Context) -> Html:  # noqa: ARG001
    """Choose a new password, by the link of a mail."""
    return Html("accounts/reset_password.html")


@router.get("/verify-email/", public=True)
def verify_email(ctx: Context) -> Html:  # noqa: ARG001
    """Confirm the address of an account, by the link of a mail."""
    return Html("accounts/verify_email.html")


@router.get("/confirm-email/", public=True)
def confirm_email(ctx: Context) -> Html:  # noqa: ARG001
    """Confirm a new address for an account, by the link of a mail."""
    return Html("accounts/confirm_email.html")


@router.get("/accept-invitation/", public=True)
def accept_invitation(ctx: Context) -> Html:  # noqa: ARG001
    """Make the account that one is invited to, by the link of a mail."""
    return Html("accounts/accept_invitation.html")
