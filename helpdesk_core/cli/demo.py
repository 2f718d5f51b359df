"""`helpdesk serve --demo`: an organisation to look around in, made in seconds in a folder of its own."""

import os
from concurrent.futures import ThreadPoolExecutor

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.accounts.models import Organization
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.service import create_organization, create_user
from helpdesk_core.cli.failures import Refused
from helpdesk_core.cli.installation import Installation
from helpdesk_core.database import commit
from helpdesk_core.events import attribute_session
from helpdesk_core.lineages import lineages
from helpdesk_core.migrations import upgrade
from helpdesk_core.settings import Settings
from helpdesk_core.tenancy import set_organization

HOME = "helpdesk-demo"
SLUG = "acme-corp"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
CAST = {
    "admin": ("admin", "Ada", "Miller", "administers the platform"),
    "agent1": ("agent", "Sam", "Carter", "agent"),
    "agent2": ("agent", "Priya", "Patel", "agent"),
    "tech1": ("technician", "Tom", "Becker", "technician"),
    "customer1": ("customer", "Clara", "Jones", "customer"),
    "customer2": ("customer", "Diego", "Lopez", "customer"),
    "customer3": ("customer", "Mei", "Chen", "customer"),
}
"""User names with role, first and last name, and what they are there for."""


def choose_home() -> None:
    """Use a folder of the demonstration's own unless the operator names one; worker processes inherit it."""
    os.environ.setdefault("HELPDESK_HOME", HOME)


def prepare(installation: Installation, host: str) -> str:
    """Migrate, fill the database if it is new, and return the address that the server may listen on."""
    upgrade(installation.settings.database, lineages(installation.host))
    _fill(installation)
    if host not in LOOPBACK and _has_public_password(installation.settings):
        click.echo(
            f"Listening on 127.0.0.1 instead of {host}: everybody knows the demonstration's password. "
            "HELPDESK_DEMO_PASSWORD sets another.", err=True
        )  # fmt: skip
        return "127.0.0.1"
    return host


def welcome(installation: Installation, url: str) -> str:
    """Return who can sign in, and where to begin."""
    settings = installation.settings
    password = settings.demo_password.get_secret_value() if _has_public_password(settings) else "as you have set it"
    people = [f"  {name:10} {does}" for name, (_, _, _, does) in CAST.items()]
    return "\n".join(
        [
            "Acme Corporation (acme-corp), a demonstration. Sign in as",
            *people,
            f"with the password: {password}",
            f"API            {url}/api/v1/",
            f"Documentation  {url}/api/docs/",
        ]
    )


def _has_public_password(settings: Settings) -> bool:
    return bool(settings.demo_password == Settings.model_fields["demo_password"].default)


def _fill(installation: Installation) -> None:
    """Make the organisation, its people and what plugins add, all in one transaction, unless it is there."""
    services = installation.services
    with services.database.session(writes=False) as session:
        slugs = session.scalars(select(Organization.slug)).all()
    if SLUG in slugs:
        return
    if slugs:
        raise Refused("--demo is for an empty database; this one has organizations of its own.")
    hashes = _hashes(installation.settings)
    with services.database.session(writes=True) as session:
        attribute_session(session, services.bus, None)
        organization = create_organization(
            session,
            name="Acme Corporation",
            slug=SLUG,
            domain="acme.com",
            tier="enterprise",
            settings={"notifications": False},  # nobody reads mails to made-up people; the inbox shows the same
        )
        set_organization(session, organization.id)
        _create_people(session, organization, hashes)
        for _, add in installation.host.declared("register_demo_data"):
            add(session, services.clock.now())
        commit(session)


def _hashes(settings: Settings) -> list[str]:
    """Hash the password once for each account, on every processor."""
    passwords = Passwords(settings)
    with ThreadPoolExecutor(max(2, os.cpu_count() or 1)) as pool:
        return list(pool.map(passwords.hash, [settings.demo_password.get_secret_value()] * len(CAST)))


def _create_people(session: Session, organization: Organization, hashes: list[str]) -> None:
    for (name, (role, first_name, last_name, _)), password_hash in zip(CAST.items(), hashes, strict=True):
        create_user(
            session,
            organization=organization,
            username=name,
            email=f"{name}@acme.com",
            password_hash=password_hash,
            role=role,
            is_platform_admin=name == "admin",
            first_name=first_name,
            last_name=last_name,
            is_verified=True,
        )
