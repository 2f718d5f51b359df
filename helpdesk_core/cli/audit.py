"""`helpdesk audit`."""

from dataclasses import dataclass, field

import click
from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from helpdesk_core import audit as log
from helpdesk_core.accounts.models import Login, Organization
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
    the whole database was put back to an earlier state. An organisation without a log is named: that is in order only
    if nothing has happened there since there are logs.
    """
    with installation.session() as session:
        found = walk(session, installation.services.get(Seals))
        found.problems += [f"{line}: this entry is not in the log." for line in kept if not _contained(session, line)]
    for line in found.ends:
        click.echo(line)
    for organization_id in found.unbegun:
        click.echo(f"organization {organization_id} has no log: nothing was to be recorded yet.", err=True)
    if found.problems:
        raise Refused("The audit log is broken.\n" + "\n".join(found.problems))


@dataclass
class Walked:
    """What a walk through all chains has found.

    Attributes:
        ends: of each chain that is whole, to be kept elsewhere.
        unbegun: organisations that may have no chain yet.
        problems: where a chain is broken, or missing.
    """

    ends: list[str] = field(default_factory=list)
    unbegun: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def walk(session: Session, seals: Seals) -> Walked:
    """Check the audit log of every organisation; `session` is unscoped."""
    found = Walked()
    for organization_id in log.chains(session):
        end = log.head(session, organization_id)  # before the walk, which goes at least as far
        broken = log.verify(session, seals, organization_id)
        if broken is not None:
            found.problems.append(f"organization {organization_id}, entry {broken.entry}: {broken.reason}")
        elif end is not None:
            found.ends.append(f"{organization_id}:{end[0]}:{end[1]}")
    for organization_id, lost in _without_chain(session):
        if lost:
            found.problems.append(f"organization {organization_id}: Its log is missing.")
        else:
            found.unbegun.append(organization_id)
    return found


def _without_chain(session: Session) -> list[tuple[int, bool]]:
    """Return the organisations without a chain, and of each whether it must have had one.

    Making an organisation and logging in are recorded. Only one that is older than the log, and that nobody has logged
    in to since, may have none.
    """
    began = select(func.min(log.AuditEntry.created_at)).scalar_subquery()
    used = exists().where(Login.organization_id == Organization.id, Login.created_at >= began)
    recorded = or_(began.is_(None), Organization.created_at >= began, used)
    chains = (log.AuditEntry.organization_id, log.AuditHead.organization_id)
    lost = select(Organization.id, recorded).order_by(Organization.id)
    lost = lost.where(*(~exists().where(chain == Organization.id) for chain in chains))
    return [(row[0], bool(row[1])) for row in session.execute(lost)]


def _contained(session: Session, line: str) -> bool:
    organization, _, rest = line.partition(":")
    entry, _, seal = rest.partition(":")
    if not organization.isdigit() or not entry.isdigit():
        raise click.BadParameter(f"{line!r} is not a line of `helpdesk audit verify`.", param_hint="--kept")
    return log.contains(session, int(organization), int(entry), seal)
