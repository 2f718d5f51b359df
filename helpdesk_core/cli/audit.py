"""`helpdesk audit`."""

import click
from sqlalchemy.orm import Session

from helpdesk_core import audit as log
from helpdesk_core.cli.failures import Refused
from helpdesk_core.cli.installation import Installation, pass_installation
from helpdesk_core.keys import Seals


@click.group()
def audit() -> None:
    """Check the audit log."""


@audit.command(name="verify")
@click.option(
    "--kept",
    metavar="ORGANIZATION:ENTRY:SEAL",
    multiple=True,
    help="A line that an earlier run printed; the log must still contain it.",
)
@pass_installation
def verify_(installation: Installation, *, kept: tuple[str, ...]) -> None:
    """Check that nobody changed, removed or added entries; name the first broken one.

    Prints the end of each organisation's log. Keep these lines elsewhere: with `--kept`, a later run also notices when
    the whole database was put back to an earlier state.
    """
    seals = installation.services.get(Seals)
    problems = []
    with installation.session() as session:
        for organization_id in log.chains(session):
            end = log.head(session, organization_id)  # before the walk, which goes at least as far
            broken = log.verify(session, seals, organization_id)
            if broken is not None:
                problems.append(f"organization {organization_id}, entry {broken.entry}: {broken.reason}")
                continue
            if end is not None:
                click.echo(f"{organization_id}:{end[0]}:{end[1]}")
        problems += [f"{line}: this entry is not in the log." for line in kept if not _contained(session, line)]
    if problems:
        raise Refused("The audit log is broken.\n" + "\n".join(problems))


def _contained(session: Session, line: str) -> bool:
    organization, _, rest = line.partition(":")
    entry, _, seal = rest.partition(":")
    if not organization.isdigit() or not entry.isdigit():
        raise click.BadParameter(f"{line!r} is not a line of `helpdesk audit verify`.", param_hint="--kept")
    return log.contains(session, int(organization), int(entry), seal)
