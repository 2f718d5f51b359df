"""What commands work with: settings, plugins and database of the installation that they are run in."""

import logging
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property, wraps
from pathlib import Path
from typing import Any

import click
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from helpdesk_core.assembly import Parts, assemble
from helpdesk_core.cli.failures import Refused
from helpdesk_core.cli.group import STRICT
from helpdesk_core.database import Database, commit
from helpdesk_core.errors import HelpdeskError
from helpdesk_core.events import Origin, attribute_session
from helpdesk_core.lineages import CORE, lineages
from helpdesk_core.logs import configure_logging
from helpdesk_core.plugins import Contributions, Phase, Plugin, PluginHealth, PluginHost, State, load_plugins
from helpdesk_core.plugins.loading import blamed
from helpdesk_core.positions import REASONS, Position, Standing, positions
from helpdesk_core.row_security import bypassing_role, differing, scoped_tables
from helpdesk_core.settings import BadSetting, Settings, load_settings
from helpdesk_core.tenancy import set_organization, set_unscoped
from helpdesk_core.web.context import Services


class Installation:
    """One installation. Plugins' commands get it with `@click.pass_obj`.

    Everything is read or made when it is first used.

    Attributes:
        acting: id of the plugin whose command runs, if it is one's.
    """

    acting: str | None = None

    @cached_property
    def settings(self) -> Settings:
        """The settings, from the environment and `helpdesk.toml` of the working directory."""
        configure_logging("warning")
        settings = load_settings(os.environ, Path.cwd())
        if make_url(settings.database).get_backend_name() not in {"sqlite", "postgresql"}:
            raise ArgumentError
        if settings.row_security and settings.database.startswith("sqlite"):
            raise BadSetting("HELPDESK_ROW_SECURITY: it takes PostgreSQL, and SQLite has nothing like it.")
        return settings

    @cached_property
    def every_plugin(self) -> PluginHost:
        """The plugins, whatever their state."""
        return load_plugins(self.settings.wanted_plugins, seconds=self.settings.plugin_start_seconds)

    @property
    def host(self) -> PluginHost:
        """The plugins, all of them active if that is asked for."""
        self.check_plugins()
        return self.every_plugin

    def check_plugins(self) -> None:
        """Refuse to go on if a plugin is not active and `--strict-plugins` or the setting asks for all."""
        if not self.is_strict():
            return
        troubled = [told(plugin) for plugin in self.every_plugin.plugins if is_troubled(plugin)]
        if troubled:
            raise Refused("\n".join(troubled))

    def is_strict(self) -> bool:
        """Tell whether every plugin must be active."""
        context = click.get_current_context(silent=True)
        return self.settings.strict_plugins or bool(context and context.meta.get(STRICT))

    @cached_property
    def parts(self) -> Parts:
        """Every part of the process, connected to each other."""
        parts = assemble(self.settings, host=self.host)
        at_the_end(parts.services.database.dispose)
        return parts

    @cached_property
    def database(self) -> Database:
        """The database alone, for what looks at it whether or not the plugins run."""
        database = Database(self.settings.database, row_security=self.settings.row_security)
        at_the_end(database.dispose)
        return database

    @property
    def services(self) -> Services:
        """What endpoints work with, too."""
        return self.parts.services

    def positions(self) -> list[Position]:
        """Return where the database stands in each lineage; a database that is not there is not made."""
        wanted = lineages(self.every_plugin)
        file = database_file(self.settings)
        if file is not None and not file.exists():
            return [
                Position(lineage, Standing.DUE, None, tuple(steps)) for lineage in wanted if (steps := lineage.steps())
            ]
        with self.database.engine.connect() as connection:
            return positions(connection, wanted)

    def behind(self) -> dict[str, str]:
        """Return the ids of lineages that cannot run on the database as it is, each with the reason."""
        return {position.lineage.id: position.reason for position in self.positions() if position.reason}

    def check_database(self) -> None:
        """Refuse to go on unless the database is there, with the newest tables of whatever is essential.

        Other plugins whose tables are missing are told, and answer nobody until they are there.
        """
        found = self.positions()
        behind = {position.lineage.id: position.reason for position in found if position.reason}
        strict = self.is_strict()
        essential = {each.id for each in self.host.active if each.manifest and each.manifest.essential}
        if behind and (strict or {CORE, *essential} & set(behind)):
            raise Refused(_refusal(behind))
        for note in filter(None, (position.note for position in found if position.standing is Standing.AHEAD)):
            click.echo(f"{note}.", err=True)
        if behind:
            self.services.get(PluginHealth).check_migrations()
            waiting = ", ".join(self.host.outages)
            due = "until `helpdesk migrate` is run" if _only_due(behind) else "on this database"
            click.echo(f"Not active {due}: {waiting}.", err=True)
        self.check_rows()

    def check_rows(self) -> None:
        """Refuse to go on unless row-level security is as the settings want it, and holds for our role."""
        if self.database.kind != "postgresql":
            return
        wanted = self.settings.row_security
        with self.database.engine.connect() as connection:
            differ = differing(connection, on=wanted, scoped=scoped_tables())
            role = bypassing_role(connection) if wanted else None
        if differ:
            what = "is missing for" if wanted else "is off, and still there for"
            raise Refused(f"Row-level security {what} {_some(differ)}: stop all servers, and run `helpdesk migrate`.")
        if role is not None:
            raise Refused(f"Row-level security does not hold for {role}: use a role without SUPERUSER and BYPASSRLS.")

    @contextmanager
    def session(self, organization_id: int | None = None) -> Iterator[Session]:
        """Open a session that is committed at the end, of one organisation or of none in particular."""
        self.check_database()
        with self.services.database.session(writes=True) as session:
            if organization_id is None:
                set_unscoped(session)
            else:
                set_organization(session, organization_id)
                self._check_switch(session)
            attribute_session(session, self.services.bus, None, Origin(credential="command"))
            yield session
            commit(session)

    def blame(self, plugin: str, error: Exception) -> None:
        """Note that a plugin's command failed, as far as there is a database to note it in."""
        with suppress(SQLAlchemyError, Refused):
            self.check_database()
            health = self.services.get(PluginHealth)
            health.failed(plugin, Phase.COMMAND, error)
            health.refresh()

    def _check_switch(self, session: Session) -> None:
        """Refuse a plugin's command where the organisation has the plugin not on."""
        plugin = self.acting
        if plugin is not None and not self.services.get(Contributions).enabled(session, plugin):
            raise Refused(f"The organisation does not have {plugin} on.")


pass_installation = click.make_pass_decorator(Installation, ensure=True)
"""Gives a command the installation as its first argument."""


def _only_due(behind: Mapping[str, str]) -> bool:
    return set(behind.values()) == {REASONS[Standing.DUE]}


def _refusal(behind: Mapping[str, str]) -> str:
    """Return why a command does not go on."""
    if _only_due(behind):
        return f"The database is not up to date ({', '.join(behind)}): run `helpdesk migrate` first."
    return "\n".join(f"{name}: {reason}." for name, reason in behind.items())


def at_the_end(act: Callable[[], None]) -> None:
    """Call `act` when the command ends: connections that are only forgotten are not closed properly."""
    context = click.get_current_context(silent=True)
    if context is not None:
        context.find_root().call_on_close(act)


def _some(names: Collection[str]) -> str:
    """Return a few names, and how many there are besides."""
    first = list(names)[:3]
    more = len(names) - len(first)
    return ", ".join(first) + (f" and {more} more tables" if more else "")


def is_troubled(plugin: Plugin) -> bool:
    """Tell whether a plugin should run and does not."""
    return plugin.state not in {State.ACTIVE, State.DISCOVERED}


def told(plugin: Plugin) -> str:
    """Return what is wrong with a plugin, in a sentence."""
    phase = f" at {plugin.phase}" if plugin.phase else ""
    state = "failed" if plugin.state is State.FAILED else f"is {plugin.state.value}"
    return f"plugin {plugin.id} {state}{phase}: {plugin.reason}"


def plugin_commands(ctx: click.Context) -> dict[str, click.Command]:
    """Return the commands of active plugins, by name."""
    installation = ctx.ensure_object(Installation)
    declared = installation.host.declared("register_commands")
    return {command.name: contained(plugin, command) for plugin, command in declared if command.name}


def contained(plugin: Plugin, command: click.Command) -> click.Command:
    """Return a plugin's command as one whose failure is told with the plugin's name, and which keeps to its outages."""
    if isinstance(command, click.Group):
        for each in command.commands.values():
            contained(plugin, each)
    elif command.callback is not None and not hasattr(command.callback, "__wrapped__"):
        command.callback = _contained(plugin, command.callback)
    return command


def _contained(plugin: Plugin, callback: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(callback)
    def call(*arguments: Any, **options: Any) -> Any:
        installation = click.get_current_context().ensure_object(Installation)
        outage = installation.host.outages.get(plugin.id)
        if outage is not None:
            raise Refused(f"plugin {plugin.id} is {outage.state}: {outage.reason}")
        installation.acting = plugin.id
        try:
            return callback(*arguments, **options)
        except (click.ClickException, click.exceptions.Exit, click.Abort, HelpdeskError, SQLAlchemyError):
            raise
        except Exception as error:
            logging.getLogger("helpdesk.plugins").exception("a command failed", extra={"plugin": plugin.id})
            installation.blame(plugin.id, error)
            raise Refused(f"plugin {plugin.id} failed at {Phase.COMMAND}: {blamed(error)}") from error

    return call


def database_file(settings: Settings) -> Path | None:
    """Return the file of an SQLite database; nothing for a database server."""
    url = make_url(settings.database)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database)
