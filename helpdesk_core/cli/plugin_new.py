"""`helpdesk plugin new`."""

from pathlib import Path

import click

from helpdesk_core.cli.failures import Misused
from helpdesk_core.plugins.discovery import discover
from helpdesk_core.scaffold import FEATURES, RefusedName, check_name, write_plugin


@click.command()
@click.argument("name")
@click.option("--with", "wanted", default="", metavar="LIST", help=f"What it has: {', '.join(FEATURES)}, with commas.")
@click.option("--folder", metavar="FOLDER", help="Where to write it; helpdesk-NAME if left out.")
def new(name: str, *, wanted: str, folder: str | None) -> None:
    """Write a new plugin called NAME, tests included."""
    features = [feature for feature in (part.strip() for part in wanted.split(",")) if feature]
    unknown = [feature for feature in features if feature not in FEATURES]
    if unknown:
        raise Misused(f"--with knows {', '.join(FEATURES)}, and not {', '.join(unknown)}.")
    target = Path(folder or f"helpdesk-{name}")
    try:
        found = discover(None)
        segments = [segment for each in found if each.manifest for segment in each.manifest.prefixes]
        check_name(name, [each.id for each in found], segments)
        for path in write_plugin(name, features, target):
            click.echo(f"  {target / path}")
    except (RefusedName, FileExistsError) as error:
        raise Misused(_sentence(str(error))) from None
    click.echo("\nNext:")
    for command in _next(target, migrates=bool(features)):
        click.echo(f"  {command}")


def _next(target: Path, *, migrates: bool) -> list[str]:
    path = target if target.is_absolute() else f"./{target}"
    migrate = ["helpdesk migrate"] if migrates else []
    return [f"pip install -e '{path}[test]'", *migrate, f"pytest {target}", "helpdesk serve"]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
