"""`helpdesk organization` and `helpdesk user`: what the first administrator needs before there is one."""

import sys
from typing import Any, TypeVar

import click
from pydantic import ValidationError
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.accounts.passwords import Passwords, password_problem
from helpdesk_core.accounts.schemas.organizations import OrganizationCreate
from helpdesk_core.accounts.schemas.types import key_of
from helpdesk_core.accounts.schemas.users import UserCreate
from helpdesk_core.accounts.service import change_password, create_organization, create_user
from helpdesk_core.cli.failures import Misused, Refused
from helpdesk_core.cli.installation import Installation, pass_installation
from helpdesk_core.permissions import ROLES
from helpdesk_core.plugins.manifest import TIERS
from helpdesk_core.schemas import Schema

SchemaT = TypeVar("SchemaT", bound=Schema)


@click.group()
def organization() -> None:
    """Create organisations."""


@organization.command(name="create")
@click.option("--name", required=True, help="For people.")
@click.option("--slug", help="For programs; made from the name when left out.")
@click.option("--domain", help="Of its members' e-mail addresses.")
@click.option("--tier", type=click.Choice(TIERS), default="free", show_default=True, help="Subscription tier.")
@pass_installation
def create_organization_(
    installation: Installation, *, name: str, slug: str | None, domain: str | None, tier: str
) -> None:
    """Create an organisation."""
    data = _valid(OrganizationCreate, name=name, slug=slug, domain=domain, subscription_tier=tier)
    with installation.session() as session:
        made = create_organization(session, name=data.name, slug=data.slug, domain=data.domain, tier=tier)
        told = f"Created organization {made.slug} (id {made.id}, tier {tier})."
    click.echo(told)


@click.group()
def user() -> None:
    """Create users, set passwords."""


@user.command(name="create")
@click.option("--username", required=True)
@click.option("--email", required=True)
@click.option("--organization", "slug", required=True, metavar="SLUG", help="Where the account belongs.")
@click.option("--role", type=click.Choice(ROLES), default="customer", show_default=True)
@click.option("--first-name", default="")
@click.option("--last-name", default="")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, not from the terminal.")
@click.option("--platform-admin", is_flag=True, help="May work across organisations.")
@pass_installation
def create_user_(
    installation: Installation, /, *, slug: str, password_stdin: bool, platform_admin: bool, **fields: str
) -> None:
    """Create a user."""
    data = _valid(UserCreate, password=_read_password(from_stdin=password_stdin), **fields)
    password_hash = _hashed(installation, data.password, data.username, data.email)
    with installation.session() as session:
        made = create_user(
            session,
            organization=_organization(session, slug),
            password_hash=password_hash,
            is_platform_admin=platform_admin,
            is_verified=True,
            **data.model_dump(include={"username", "email", "role", "first_name", "last_name"}),
        )
        audit.record(
            session, "user.created", "user", made.id, after={"username": made.username, "role": made.role},
            organization_id=made.organization_id,
        )  # fmt: skip
        told = f"Created user {made.username} (id {made.id}, {made.role} of {slug})."
    click.echo(told)


@user.command(name="set-password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, not from the terminal.")
@pass_installation
def set_password_(installation: Installation, *, name: str, password_stdin: bool) -> None:
    """Set the password of the user NAME, a user name or an e-mail address, and end all their logins."""
    with installation.session() as session:
        found = _user(session, name)
        user_id, organization_id, username, email = found.id, found.organization_id, found.username, found.email
    password_hash = _hashed(installation, _read_password(from_stdin=password_stdin), username, email)
    with installation.session(organization_id) as session:
        change_password(session, user_id, password_hash, keep_login=None)
    click.echo(f"Set the password of {username}.")


def _valid(schema: type[SchemaT], **values: Any) -> SchemaT:
    """Return validated values; a wrong one is told under the name of its option."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        problems = (f"--{'-'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise Misused("; ".join(problems).replace("_", "-")) from None


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _hashed(installation: Installation, password: str, *names: str) -> str:
    problem = password_problem(password, names)
    if problem is not None:
        raise Misused(f"This password cannot be used. {problem}")
    return Passwords(installation.settings).hash(password)


def _organization(session: Session, slug: str) -> Organization:
    found = session.scalar(select(Organization).where(Organization.slug == slug))
    if found is None:
        raise Refused(f"There is no organization {slug!r}; `helpdesk organization create` makes one.")
    return found


def _user(session: Session, name: str) -> User:
    key = key_of(name)
    found = session.scalar(select(User).where(or_(User.username_key == key, User.email_key == key)))
    if found is None:
        raise Refused(f"There is no user {name!r}.")
    return found
