"""`helpdesk openapi`."""

import click
import orjson

from helpdesk_core.assembly import declared_endpoints
from helpdesk_core.cli.installation import Installation, pass_installation
from helpdesk_core.web.openapi import build_document


@click.command()
@pass_installation
def openapi(installation: Installation) -> None:
    """Print the OpenAPI document of the core and all active plugins."""
    host = installation.host
    document = build_document(declared_endpoints(host), host, installation.settings)
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
