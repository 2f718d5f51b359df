"""An installation with a plugin that has two things to tell."""

from collections import defaultdict

import pytest

from helpdesk_core.notifications.kinds import NotificationKind, Wording
from helpdesk_core.notifications.service.telling import notify
from helpdesk_core.plugins import PluginHost
from helpdesk_core.plugins.host import Plugin
from helpdesk_core.plugins.manifest import CONTRACT, Manifest
from helpdesk_core.testing import running

PAGED = NotificationKind(
    name="shift_paged",
    title="You were paged",
    subject="{who} paged you",
    text="{who} paged you at {when}.\n\nReason: {reason}",
    variables=("who", "when", "reason"),
    translations={
        "de": Wording("Sie wurden gerufen", "{who} hat Sie gerufen", "{who} hat Sie um {when} gerufen.\n\n{reason}")
    },
)
QUIET = NotificationKind(
    name="shift_planned", title="A shift was planned", subject="A shift", text="Planned.", email=False
)


@pytest.fixture
def rota(tmp_path):
    """A plugin that tells people of shifts."""
    manifest = Manifest(id="rota", name="Rota", api=CONTRACT, core=">=0.1")
    declared = defaultdict(list, {"register_notification_kinds": [PAGED, QUIET]})
    return Plugin("rota", "rota", tmp_path / "rota", manifest, declared=declared)


@pytest.fixture
def installation(helpdesk_host, helpdesk_databases, tmp_path, rota):
    """A running helpdesk with that plugin."""
    host = PluginHost([*helpdesk_host.plugins, rota])
    with running(helpdesk_databases, host, tmp_path) as installation:
        yield installation


@pytest.fixture
def tell(installation):
    """Tells users of Acme something, and delivers everything."""

    def told(*users, kind="shift_paged", key="shift 1", values=None, **options):
        organization = installation.client("owner").organization_id
        values = {"who": "Ada", "reason": "Fire"} if values is None else values
        with installation.session(organization) as session:
            notify(session, [user.user.id for user in users], kind, key=key, values=values, **options)
            installation.commit(session)

    return told


def inbox(client, **parameters):
    """What a client has been told, newest first."""
    reply = client.get("/notifications/", params=parameters)
    assert reply.status_code == 200, reply.text
    return reply.json()["results"]


def choose(client, **body):
    reply = client.patch("/notifications/preferences/", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()
