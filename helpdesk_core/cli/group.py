"""The command group: finds commands by name, ours and those of plugins, and turns failures into sentences."""

import click

from helpdesk_core import __version__
from helpdesk_core.cli.lazy import load
from helpdesk_core.cli.silence import nothing_logged

COMMANDS = {
    "migrate": ("migrate", "Bring the database to the newest schema."),
    "serve": ("serve", "Start the web server."),
    "worker": ("worker", "Run jobs and deliver events."),
    "jobs": ("jobs", "Show what waits to be done, and try again what has failed."),
    "organization": ("people", "Create organisations."),
    "user": ("people", "Create users, set passwords."),
    "backup": ("backup", "Write a backup, while the server runs."),
    "restore": ("restore", "Restore a backup."),
    "verify": ("verify", "Check the installation, or a backup."),
    "audit": ("audit", "Check the audit log."),
    "plugin": ("plugin", "Show plugins, switch and remove them; write and check one's own."),
    "openapi": ("openapi", "Print the OpenAPI document."),
    "doctor": ("doctor", "Check the installation, list its settings."),
}
"""Names, the modules that hold them under the same name, and what they do."""

STRICT = "helpdesk.strict_plugins"


def _be_strict(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - as click calls it
    if value:
        ctx.meta[STRICT] = True  # shared by all contexts of one invocation


def strict_option() -> click.Option:
    """Return the option that every command takes."""
    return click.Option(
        ["--strict-plugins"], is_flag=True, expose_value=False, callback=_be_strict,
        help="Fail if any plugin is not active.",
    )  # fmt: skip


class Helpdesk(click.Group):
    """Loads commands when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return our commands, then those of plugins as far as they can be loaded."""
        try:
            with nothing_logged():  # a plugin that fails is not what was asked about
                return [*COMMANDS, *sorted(load("installation").plugin_commands(ctx))]
        except Exception:  # noqa: BLE001 - help is most needed when nothing else works
            return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name; ours win over those of plugins."""
        if cmd_name in COMMANDS:
            found: click.Command | None = getattr(load(COMMANDS[cmd_name][0]), cmd_name)
        else:
            found = load("installation").plugin_commands(ctx).get(cmd_name)
        if found is not None:
            _take_strict(found)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list for `--help` without loading our own commands."""
        rows = []
        for name in self.list_commands(ctx):
            if name in COMMANDS:
                rows.append((name, COMMANDS[name][1]))
            elif (command := self.get_command(ctx, name)) is not None:
                rows.append((name, command.get_short_help_str()))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what can be expected to fail is told in a sentence."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            told: click.ClickException | None = load("failures").explained(error)
            if told is None:
                raise
            raise told from None


def _take_strict(command: click.Command) -> None:
    if not any(parameter.name == "strict_plugins" for parameter in command.params):
        command.params.append(strict_option())
    if isinstance(command, click.Group):
        for each in command.commands.values():
            _take_strict(each)


def _tell_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - as click calls it
    if value:
        click.echo(f"helpdesk {__version__}")
        ctx.exit()


@click.group(cls=Helpdesk, context_settings={"help_option_names": ["-h", "--help"]}, params=[strict_option()])
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_tell_version, help="Show the version."
)  # click's own reads the environment when it is declared
def main() -> None:
    """Run and look after a helpdesk."""
