"""`helpdesk doctor`: what an operator looks at first when something is wrong."""

import os
import sys
from collections.abc import Callable
from typing import Any

import click
from pydantic import SecretStr
from sqlalchemy import NullPool, create_engine, make_url, text

from helpdesk_core.cli.failures import Refused, explained
from helpdesk_core.cli.installation import Installation, database_file, is_troubled, pass_installation, told
from helpdesk_core.cli.silence import nothing_logged
from helpdesk_core.keys import FILE, has_key, signing_key
from helpdesk_core.limits.choice import WORDS, kind_of_store
from helpdesk_core.lineages import orphans
from helpdesk_core.mail import SmtpServer, mailer_for
from helpdesk_core.plugins import State
from helpdesk_core.positions import Standing
from helpdesk_core.postgres import is_pooled
from helpdesk_core.settings import PREFIX, Settings
from helpdesk_core.web.realtime.wakers import BEHIND_POOLER

_SERVER = text("SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = current_database()")
"""Tells one database of one running server from all others."""


@click.command()
@click.option("--settings", "list_settings", is_flag=True, help="List all settings with their present values.")
@pass_installation
def doctor(installation: Installation, *, list_settings: bool) -> None:
    """Check the installation; exit with 1 if anything is wrong."""
    if list_settings:
        _list_settings(installation.settings)
        return
    with nothing_logged():  # what is wrong is told
        healthy = _told_what_is_wrong(installation)
    if not healthy:
        sys.exit(1)


def _told_what_is_wrong(installation: Installation) -> bool:
    """Make every check and print what it found; return whether all passed."""
    healthy = True
    for name, check in CHECKS.items():
        passed, finding = _run(check, installation)
        healthy &= passed
        click.echo(f"{'ok' if passed else 'WRONG':6} {name:11} {finding}")
        if name == "settings" and not passed:
            break  # nothing else can be looked at
    return healthy


def _run(check: Callable[[Installation], str], installation: Installation) -> tuple[bool, str]:
    try:
        return True, check(installation)
    except Exception as error:
        refusal = error if isinstance(error, Refused) else explained(error)
        if refusal is None:
            raise
        return False, refusal.message.replace("\n", " ")


def _settings(installation: Installation) -> str:
    given = sorted(installation.settings.model_fields_set)
    return f"valid; set: {', '.join(given) or 'none'}"


def _home(installation: Installation) -> str:
    home = installation.settings.home.absolute()
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise Refused(f"{home} cannot be written")
    return f"{home} can be written"


def _secret_key(installation: Installation) -> str:
    settings = installation.settings
    if not has_key(settings):
        return "not there yet; `helpdesk migrate` makes it"
    signing_key(settings)
    return "from the settings" if settings.secret_key.get_secret_value() else f"in {settings.home / FILE}"


def _plugins(installation: Installation) -> str:
    plugins = installation.every_plugin.plugins
    troubled = [told(plugin) for plugin in plugins if is_troubled(plugin)]
    if troubled:
        raise Refused("; ".join(troubled))
    left_out = [plugin.id for plugin in plugins if plugin.state is State.DISCOVERED]
    active = [plugin.id for plugin in plugins if plugin.state is State.ACTIVE]
    more = f"; left out: {', '.join(left_out)}" if left_out else ""
    return f"{len(active)} active: {', '.join(active)}{more}"


def _database(installation: Installation) -> str:
    url = make_url(installation.settings.database)
    _require_file(installation)
    with installation.services.database.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    return f"answers: {url.render_as_string(hide_password=True)}"


def _row_security(installation: Installation) -> str:
    installation.check_rows()
    if not installation.settings.row_security:
        return "off: organisations are kept apart by the application alone"
    return "on: PostgreSQL keeps organisations apart as well"


def _pooler(installation: Installation) -> str:
    settings = installation.settings
    if settings.database.startswith("sqlite"):
        return "none; SQLite takes none"
    with installation.services.database.engine.connect() as connection:
        pooled, server = is_pooled(connection.connection.driver_connection), connection.execute(_SERVER).one()
    if settings.database_direct_url:
        _check_direct(settings, tuple(server))
    elif pooled and not settings.redis_url:
        raise Refused(BEHIND_POOLER)
    return "between us and the database" if pooled else "none"


def _check_direct(settings: Settings, server: tuple[Any, ...]) -> None:
    """Refuse a direct URL that is none, or leads elsewhere."""
    engine = create_engine(settings.direct_database, poolclass=NullPool)
    with engine.connect() as connection:
        if is_pooled(connection.connection.driver_connection):
            raise Refused("HELPDESK_DATABASE_DIRECT_URL leads through a pooler as well")
        if tuple(connection.execute(_SERVER).one()) != server:
            raise Refused("HELPDESK_DATABASE_DIRECT_URL leads to another database than HELPDESK_DATABASE_URL")


def _migrations(installation: Installation) -> str:
    _require_file(installation)
    found = installation.positions()
    due = [position.lineage.id for position in found if position.standing is Standing.DUE]
    wrong = [f"{each.lineage.id}: {each.reason}" for each in found if each.reason and each.standing is not Standing.DUE]
    if due:
        wrong.insert(0, f"due for {', '.join(due)}: run `helpdesk migrate`")
    if wrong:
        raise Refused("; ".join(wrong))
    return "; ".join(note for each in found if (note := each.note)) or "none due"


def _limits(installation: Installation) -> str:
    settings = installation.settings
    if settings.limits == "off":
        return "off"
    return f"{settings.limits}, counted in {WORDS[kind_of_store(settings)]}"


def _orphans(installation: Installation) -> str:
    _require_file(installation)
    left = orphans(installation.services.database, [plugin.id for plugin in installation.every_plugin.plugins])
    if left:
        raise Refused(f"tables are left of plugins that do not run here: {', '.join(left)}")
    return "no tables of plugins that do not run here"


def _mail(installation: Installation) -> str:
    settings = installation.settings
    mailer_for(settings)
    if not settings.smtp_url.get_secret_value():
        return "printed to standard error, links included; HELPDESK_SMTP_URL names a server"
    server = SmtpServer.parse(settings.smtp_url.get_secret_value(), settings.smtp_timeout_seconds)
    return f"by {server.host}:{server.port}, not tried"


def _outbound(installation: Installation) -> str:
    allowed = ", ".join(installation.settings.outbound_allow)
    return f"public hosts, and whatever answers in {allowed}" if allowed else "public hosts alone"


def _require_file(installation: Installation) -> None:
    file = database_file(installation.settings)
    if file is not None and not file.exists():
        raise Refused(f"{file} is not there yet: run `helpdesk migrate`")


CHECKS: dict[str, Callable[[Installation], str]] = {
    "settings": _settings,
    "home": _home,
    "secret key": _secret_key,
    "plugins": _plugins,
    "database": _database,
    "pooler": _pooler,
    "migrations": _migrations,
    "rows": _row_security,
    "leftovers": _orphans,
    "limits": _limits,
    "mail": _mail,
    "outbound": _outbound,
}


def _list_settings(settings: Settings) -> None:
    for name, field in Settings.model_fields.items():
        mark = "*" if name in settings.model_fields_set else " "
        click.echo(f"{mark} {PREFIX}{name.upper()} = {_shown(getattr(settings, name))}")
        click.echo(click.wrap_text(field.description or "", initial_indent="      ", subsequent_indent="      "))
    click.echo("\n* is set in the environment or in helpdesk.toml; all others have their default.")


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return str(value)
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)
