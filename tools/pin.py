"""Write down the exact version of every third-party package that this checkout resolves to.

Two places say the same: `[tool.uv] constraint-dependencies` in pyproject.toml, which uv obeys, and
constraints.txt, for `pip install -c constraints.txt`. Unlike a lock file, neither names the host that
packages came from.

    uv run python tools/pin.py              pin what is new, keep the rest (after a change of dependencies)
    uv run python tools/pin.py --upgrade    move every pin to the newest version that fits
"""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"
BLOCK = re.compile(r"^(constraint-dependencies = \[\n).*?^(\]\n)", re.MULTILINE | re.DOTALL)
CONSTRAINTS = ROOT / "constraints.txt"
HEADING = "# Written by tools/pin.py: what `[tool.uv] constraint-dependencies` says, for pip install -c\n"
EXPORT = (
    "uv export --quiet --all-packages --all-groups --all-extras"
    " --no-emit-workspace --no-hashes --no-header --no-annotate"
)


def resolved() -> list[str]:
    """Return the pins of all platforms; a marker stays only where platforms need different versions."""
    exported = subprocess.run(EXPORT.split(), cwd=ROOT, check=True, capture_output=True, text=True).stdout
    versions: dict[str, list[str]] = defaultdict(list)
    for line in exported.splitlines():
        if re.match(r"[A-Za-z0-9]", line):
            versions[line.partition("==")[0]].append(line)
    return [pin if len(pins) > 1 else pin.partition(" ;")[0] for _, pins in sorted(versions.items()) for pin in pins]


def write_to_pyproject(pins: list[str]) -> None:
    block = "".join(f'    "{pin}",\n' for pin in pins)
    text, found = BLOCK.subn(lambda match: match[1] + block + match[2], PYPROJECT.read_text(encoding="utf-8"))
    if found != 1:
        sys.exit("pyproject.toml has no `constraint-dependencies = [` ... `]` to write to")
    PYPROJECT.write_text(text, encoding="utf-8")


def write_to_constraints(pins: list[str]) -> None:
    CONSTRAINTS.write_text(HEADING + "".join(f"{pin}\n" for pin in pins), encoding="utf-8")


def main() -> None:
    if "--upgrade" in sys.argv[1:]:
        write_to_pyproject([])
        subprocess.run(["uv", "lock", "--quiet", "--upgrade"], cwd=ROOT, check=True)
    pins = resolved()
    write_to_pyproject(pins)
    write_to_constraints(pins)
    print(f"{len(pins)} pins")


if __name__ == "__main__":
    main()
