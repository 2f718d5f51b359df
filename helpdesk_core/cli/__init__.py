"""The `helpdesk` command. Each command is a module, imported only when it is asked for."""

from helpdesk_core.cli.group import main

__all__ = ["main"]
