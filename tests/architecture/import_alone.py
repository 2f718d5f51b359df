"""Import every module of a package as if it were the only one; print those that warn, fail or act.

Run as `python import_alone.py PACKAGE`. A fork of an interpreter that has already loaded what belongs
to others is a fresh process as far as our modules are concerned, and costs milliseconds.
"""

import contextlib
import importlib
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

import sqlalchemy
import tree

ACTS = ("sqlite3.connect", "socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn")
ASKED_BY_PYDANTIC = "PYDANTIC_"  # whenever a model is defined
WRITING = os.O_WRONLY | os.O_RDWR


class ActsOnImportError(Exception):
    """A module reached outside of itself before anybody called it."""


def is_ours(filename: str) -> bool:
    return any(Path(filename).is_relative_to(package) for package in tree.PACKAGES)


def refuse_ours(what: str) -> None:
    """Raise if a module of ours asked for this, itself or through a call; what others import is theirs."""
    frame: FrameType | None = sys._getframe(1)
    while frame and not frame.f_code.co_filename.startswith("<frozen importlib"):
        if is_ours(frame.f_code.co_filename):
            raise ActsOnImportError(what)
        frame = frame.f_back


def audit(event: str, arguments: tuple[object, ...]) -> None:
    if event.startswith(ACTS) or (event == "open" and int(str(arguments[2])) & WRITING):
        refuse_ours(f"{event}{arguments!r:.80}")


def forbid_acting() -> None:
    """Make everything that reaches outside an error, for the rest of this process."""
    environment = type(os.environ)

    def watched(method: str) -> None:
        original = getattr(environment, method)

        def watch(self: object, *key: str) -> object:
            if not "".join(key).startswith(ASKED_BY_PYDANTIC):
                refuse_ours(f"os.environ {' '.join(key)}")
            return original(self, *key)

        setattr(environment, method, watch)

    def make_engine(*_: object, **__: object) -> None:
        refuse_ours("create_engine")

    watched("__getitem__")
    watched("__iter__")
    threading.Thread.start = lambda self: refuse_ours(f"start of {self!r}")  # type: ignore[method-assign]
    sqlalchemy.create_engine = sqlalchemy.engine.create_engine = make_engine  # type: ignore[assignment]
    sys.addaudithook(audit)
    warnings.simplefilter("error")


def load_others(folder: Path) -> None:
    """Import what the modules of a package import of others; those of ours have a test of their own."""
    names = {name for path in tree.sources(folder) for _, name in tree.imported(path)}
    for name in sorted(name for name in names if name.partition(".")[0] != folder.name):
        module, _, attribute = name.rpartition(".")
        with contextlib.suppress(ImportError):
            importlib.import_module(module or attribute)


def in_child(act: Callable[[], bool]) -> bool:
    """Return what a fork of this process comes to."""
    if not (child := os.fork()):
        code = 1
        try:
            code = int(not act())
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def imports(module: str) -> bool:
    try:
        importlib.import_module(module)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what we are here to report
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"{f.filename.removeprefix(str(tree.ROOT))[1:]}:{f.lineno}" for f in frames if is_ours(f.filename)]
        print(f"{module}: {error!r} at {places[-1:]}")
        return False
    return True


def visit(package: str, below: list[str]) -> bool:
    """Import a package, and each module below it, in processes that have imported no more than the packages above.

    That is what importing a module alone comes to. One that its package imports by itself needs no process.
    """
    if not imports(package):
        return False
    inside = [name for name in below if name.startswith(f"{package}.")]
    good = True
    for name in sorted(name for name in inside if "." not in name[len(package) + 1 :]):
        if name not in sys.modules or any(each.startswith(f"{name}.") for each in inside):
            good &= in_child(partial(visit, name, inside))
    return good


def main(package: str) -> int:
    (folder,) = (path for path in tree.PACKAGES if path.name == package)
    load_others(folder)
    forbid_acting()
    return int(not visit(package, tree.modules(folder)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
