"""`helpdesk plugin enable` and `disable`: what administrators do in the API, for whoever has a terminal."""

import click
from sqlalchemy import select

from helpdesk_core.accounts.models import Organization
from helpdesk_core.accounts.service import disable_plugin, enable_plugin
from helpdesk_core.cli.failures import Misused, Refused
from helpdesk_core.cli.installation import Installation, pass_installation
from helpdesk_core.plugins.health import resume as end_pause

of_organization = click.option("--organization", "slug", required=True, metavar="SLUG", help="Whose switch it is.")


@click.command()
@click.argument("plugin_id", metavar="ID")
@of_organization
@pass_installation
def enable(installation: Installation, plugin_id: str, slug: str) -> None:
    """Switch a plugin on for an organisation, from the next request on."""
    _switch(installation, plugin_id, slug, on=True)


@click.command()
@click.argument("plugin_id", metavar="ID")
@of_organization
@pass_installation
def disable(installation: Installation, plugin_id: str, slug: str) -> None:
    """Switch a plugin off for an organisation, from the next request on; its data stays."""
    _switch(installation, plugin_id, slug, on=False)


@click.command()
@click.argument("plugin_id", metavar="ID")
@pass_installation
def resume(installation: Installation, plugin_id: str) -> None:
    """End the pause of a suspended plugin, once what made it fail is mended."""
    with installation.session() as session:
        ended = end_pause(session, plugin_id)
    if not ended:
        raise Refused(f"{plugin_id} is not suspended.")
    click.echo(f"{plugin_id} is tried again, by every process within seconds.")


def _switch(installation: Installation, plugin_id: str, slug: str, *, on: bool) -> None:
    host = installation.host
    if plugin_id not in {plugin.id for plugin in host.active}:
        raise Misused(f"No plugin {plugin_id} runs here; `helpdesk plugin list` shows which do.")
    with installation.session() as session:
        organization_id = session.scalar(select(Organization.id).where(Organization.slug == slug))
    if organization_id is None:
        raise Misused(f"There is no organisation {slug}.")
    with installation.session(organization_id) as session:
        organization = session.get_one(Organization, organization_id, with_for_update=True)
        (enable_plugin if on else disable_plugin)(session, host, organization, plugin_id)
    click.echo(f"{plugin_id} is {'on' if on else 'off'} for {slug}.")
