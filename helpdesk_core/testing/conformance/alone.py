"""Import every module of a package, and print what that does besides: `python alone.py PACKAGE FOLDER`.

Runs in a process of its own: what has been imported before is not imported again. What a library does when a module
imports it is the library's; blamed is what stands in the package's own files.
"""

import contextlib
import importlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import sqlalchemy

ACTS = ("sqlite3.connect", "socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn")
WRITING = os.O_WRONLY | os.O_RDWR


class ActsOnImport(Exception):
    """A module reached outside of itself before anybody called it."""


class Watch:
    """Refuses what the files below a folder do while they are imported, and remembers it."""

    def __init__(self, folder: Path) -> None:
        """Watch the files below `folder`."""
        self.folder = folder
        self.seen: list[tuple[str, str]] = []

    def refuse(self, act: str) -> None:
        """Raise if a file of the package asked for this, itself or through a call."""
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the only way to know who asks
        while frame and not frame.f_code.co_filename.startswith("<frozen importlib"):
            if Path(frame.f_code.co_filename).is_relative_to(self.folder):
                where = Path(frame.f_code.co_filename).relative_to(self.folder.parent)
                self.seen.append((act, f"{where}:{frame.f_lineno}"))
                raise ActsOnImport(act)
            frame = frame.f_back

    def audit(self, event: str, arguments: tuple[object, ...]) -> None:
        """Look at what the interpreter is about to do."""
        if event.startswith(ACTS) or (event == "open" and int(str(arguments[2])) & WRITING):
            self.refuse(f"{event}{arguments!r:.80}")

    def begin(self) -> None:
        """Watch from now on."""

        def make_engine(*_: object, **__: object) -> None:
            self.refuse("create_engine")

        setattr(threading.Thread, "start", lambda _: self.refuse("the start of a thread"))  # noqa: B010 - for good
        sqlalchemy.create_engine = sqlalchemy.engine.create_engine = make_engine  # type: ignore[assignment]
        sys.addaudithook(self.audit)


def modules(package: str, folder: Path) -> Iterator[str]:
    """Iterate over the full names of the modules; files that no import can name are none."""
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        if parts[-1] != "__main__" and all(part.isidentifier() for part in parts):
            yield ".".join((package, *parts)).removesuffix(".__init__")


def main(package: str, folder: Path) -> None:
    """Import everything, and print a line of JSON for each act."""
    importlib.import_module("helpdesk_core.api")  # what the core does is not the plugin's
    watch = Watch(folder)
    watch.begin()
    for module in modules(package, folder):
        before = len(watch.seen)
        with contextlib.suppress(ActsOnImport):
            importlib.import_module(module)
        for act, where in watch.seen[before:]:
            sys.stdout.write(json.dumps({"module": module, "act": act, "where": where}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
