"""Whoever types what docs/tutorial.md says has a plugin that works: its blocks are taken, and its tests are run."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from helpdesk_core.cli import main
from helpdesk_core.scaffold import FEATURES, write_plugin
from tests.test_examples import describe

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:^(?P<before>.+)\n\n)?^```(?P<language>\w+)\n(?P<code>(?s:.*?))^```$", re.MULTILINE)
WHOLE = re.compile(r"`(?P<path>[\w./-]+)`:")
END = re.compile(r"At the end of `(?P<path>[\w./-]+)`:")
LINE = re.compile(r"In `(?P<path>[\w./-]+)`, (?P<where>below|instead of) `(?P<line>[^`]+)`:")
RELEASE = "## 14. Check and ship it"


@dataclass(frozen=True)
class Block:
    """A block of code, and the line above it."""

    before: str
    language: str
    code: str


def blocks(text: str) -> Iterator[Block]:
    return (Block(**found.groupdict("")) for found in BLOCK.finditer(text))


def do(block: Block, folder: Path) -> None:
    """Do to the plugin in `folder` what a block says."""
    if block.language == "sh":
        for path in re.findall(r"^rm (\S+)$", block.code, re.MULTILINE):
            (folder / path).unlink()
    elif found := WHOLE.fullmatch(block.before):
        (folder / found["path"]).parent.mkdir(exist_ok=True)
        (folder / found["path"]).write_text(block.code, encoding="utf-8")
    elif found := END.fullmatch(block.before):
        text = (folder / found["path"]).read_text(encoding="utf-8")
        (folder / found["path"]).write_text(f"{text}\n\n{block.code}", encoding="utf-8")
    elif found := LINE.fullmatch(block.before):
        change(folder / found["path"], found["line"], block.code, keep=found["where"] == "below")
    else:
        raise AssertionError(f"nothing says which file this is: {block}")


def change(path: Path, line: str, code: str, *, keep: bool) -> None:
    """Put `code` below a line of a file, or in its place."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    places = [place for place, each in enumerate(lines) if each.strip() == line]
    assert len(places) == 1, f"{path.name} has {len(places)} lines {line!r}"
    (place,) = places
    lines[place] = lines[place] * keep + code
    path.write_text("".join(lines), encoding="utf-8")


def typed(text: str, folder: Path) -> Path:
    """Write the plugin as somebody does who follows `text`; return its folder."""
    write_plugin("oncall", FEATURES, folder)
    for block in blocks(text):
        do(block, folder)
    return folder


def outcome_of(folder: Path, known: Path) -> subprocess.CompletedProcess[str]:
    """Run the tests of the plugin in `folder`, which Python finds by `known`."""
    describe(folder / "pyproject.toml", known)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (known, folder)))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", folder]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("text", [TEXT[: TEXT.index(RELEASE)], TEXT], ids=["before the release", "to the end"])
def test_the_plugin_of_the_tutorial_passes_its_tests(text: str, tmp_path: Path) -> None:
    done = outcome_of(typed(text, tmp_path / "helpdesk-oncall"), tmp_path / "known")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_plugin_of_the_tutorial_keeps_its_own_rules(tmp_path: Path) -> None:
    folder = typed(TEXT, tmp_path / "helpdesk-oncall")
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_file_of_every_block_is_named() -> None:
    assert TEXT.count("```") == 2 * len(list(blocks(TEXT)))


def commands() -> list[str]:
    lines = [line for block in blocks(TEXT) if block.language == "sh" for line in block.code.splitlines()]
    return sorted({line for line in lines if "helpdesk" in re.sub(r"\w+=\S+ ", "", line).split()[0]})


@pytest.mark.parametrize("line", commands())
def test_every_command_of_the_tutorial_is_one(line: str) -> None:
    words = [word for word in shlex.split(line) if "=" not in word][1:]
    command: click.Command = main
    context = click.Context(main, info_name="helpdesk")
    while isinstance(command, click.Group):
        while words[0].startswith("-"):
            assert words.pop(0) in [option for each in command.params for option in each.opts]
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command = found
    command.make_parser(context).parse_args(words)
