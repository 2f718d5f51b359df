"""`helpdesk plugin check`."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path

import click
import orjson

from helpdesk_core.cli.failures import Misused
from helpdesk_core.cli.silence import nothing_logged
from helpdesk_core.testing.checking import NoPlugin, checked, read_project
from helpdesk_core.testing.conformance import NOT_APPLICABLE, OK, WRONG, Outcome


@click.command()
@click.argument("path", default=".")  # as text: a type for paths would read the environment when it is declared
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object for each check.")
@click.pass_context
def check(ctx: click.Context, path: str, *, as_json: bool) -> None:
    """Check that the plugin in the folder PATH keeps what every plugin promises.

    It need not be installed; what it requires must be. Exits with 1 if anything is wrong.
    """
    try:
        project = read_project(Path(path))
    except NoPlugin as error:
        raise Misused(str(error)) from None
    found = []
    with nothing_logged():  # what is wrong is told below
        for plugin, outcome in checked(project):
            found.append((plugin, outcome))
            if not as_json:
                _print(outcome, f"{plugin}: " if len(project.plugins) > 1 else "")
    counts = Counter(outcome.verdict for _, outcome in found)
    if as_json:
        rows = [{"plugin": plugin, **asdict(outcome)} for plugin, outcome in found]
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    else:
        told = f"{counts[OK]} ok, {counts[WRONG]} wrong, {counts[NOT_APPLICABLE]} not applicable"
        click.echo(f"{len(found)} checks: {told}.")
    ctx.exit(1 if counts[WRONG] else 0)


def _print(outcome: Outcome, before: str) -> None:
    reason = f" ({outcome.text})" if outcome.verdict == NOT_APPLICABLE else ""
    click.echo(f"{outcome.verdict:<14}  {before}{outcome.check}{reason}")
    if outcome.verdict == WRONG:
        for line in outcome.text.splitlines():
            click.echo(f"    {line}")
