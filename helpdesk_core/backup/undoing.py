"""Taking back the steps of what could not be finished."""

from collections.abc import Callable
from functools import partial

from helpdesk_core.backup.failures import BackupFailed, reason

ALL = "Everything is as it was before."


class Undo:
    """How steps are taken back, the last one first. One that cannot be taken back does not keep the others."""

    def __init__(self) -> None:
        """Know of no step yet."""
        self._steps: list[tuple[str, Callable[[], object]]] = []

    def add(self, otherwise: str, act: Callable[..., object], *arguments: object) -> None:
        """Note what takes a step back, and what is to be told where that fails."""
        self._steps.append((otherwise, partial(act, *arguments)))

    def everything(self) -> str:
        """Take all steps back; return in sentences for the operator whether that went well."""
        left = []
        while self._steps:
            otherwise, act = self._steps.pop()
            try:
                act()
            except (BackupFailed, OSError) as error:
                left.append(f"{otherwise} ({reason(error).rstrip('.')})")
        if not left:
            return ALL
        return f"NOT undone: {'; '.join(left)}. docs/backup.md tells how to put things back by hand."
