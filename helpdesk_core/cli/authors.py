"""The commands for authors of plugins, which load what nobody else needs only when they are asked for."""

from typing import Any

import click

from helpdesk_core.cli.lazy import load

AUTHORS = {
    "new": ("plugin_new", "Write a new plugin."),
    "check": ("plugin_check", "Check that a plugin keeps its promises."),
}
"""Names, the modules that hold them under the same name, and what they do."""


class LazyGroup(click.Group):
    """A group with some commands whose modules are loaded when they are asked for."""

    def __init__(self, *arguments: Any, lazy: dict[str, tuple[str, str]], **options: Any) -> None:
        """Keep the names of those commands, with their modules and what they do."""
        super().__init__(*arguments, **options)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return [*super().list_commands(ctx), *self._lazy]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        found: click.Command = getattr(load(self._lazy[cmd_name][0]), cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list for `--help` without loading anything."""
        known = [(name, command.get_short_help_str(limit=100)) for name, command in self.commands.items()]
        later = [(name, about) for name, (_, about) in self._lazy.items()]
        with formatter.section("Commands"):
            formatter.write_dl([*known, *later])
