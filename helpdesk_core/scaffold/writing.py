"""Writing the files of a new plugin: all of them, or none."""

import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from helpdesk_core import __version__

FEATURES = ("models", "events", "jobs")
"""What a new plugin can be asked to have. Events and jobs are about what is stored, and bring models."""
_TEMPLATES = Path(__file__).with_name("templates")


def write_plugin(name: str, features: Collection[str], folder: Path) -> list[Path]:
    """Write a plugin into `folder`, which must not exist; return the paths of its files, relative to it.

    The files are written beside it first: if anything fails, nothing is left behind.

    Raises:
        FileExistsError: there is something at `folder`.
    """
    if folder.exists():
        raise FileExistsError(f"there is something at {folder} already.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        written = [_write(draft / path, text).relative_to(draft) for path, text in _files(name, features)]
        draft.chmod(0o755)  # temporary folders are their owner's alone
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return written


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _files(name: str, features: Collection[str]) -> Iterator[tuple[str, str]]:
    """Iterate over the path and the text of each file."""
    environment = Environment(  # noqa: S701 - what is written is Python and TOML, not HTML
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for template, path in _chosen(name, features):
        yield path, environment.get_template(f"{template}.j2").render(_values(name, features))


def _chosen(name: str, features: Collection[str]) -> Iterator[tuple[str, str]]:
    """Iterate over the templates, each with the path of its file."""
    package = f"helpdesk_{name}"
    yield from ((file, file) for file in ("pyproject.toml", "README.md"))
    yield from ((file, f"{package}/{file}") for file in ("__init__.py", "plugin.toml", "plugin.py", "routes.py"))
    if features:
        yield "models.py", f"{package}/models.py"
        yield "migration.py", f"{package}/migrations/0001_entries.py"
    if {"events", "jobs"} & set(features):
        yield "background.py", f"{package}/background.py"
    yield "test_plugin.py", f"tests/test_{name}.py"


def _values(name: str, features: Collection[str]) -> dict[str, object]:
    major, minor = __version__.split(".")[:2]
    return {
        "id": name,
        "title": name.capitalize(),
        "package": f"helpdesk_{name}",
        "distribution": f"helpdesk-{name}",
        "since": f"{major}.{minor}",
        "until": int(major) + 1,
        "models": bool(features),
        "events": "events" in features,
        "jobs": "jobs" in features,
    }
