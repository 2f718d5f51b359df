from pathlib import Path

import pytest
from sqlalchemy import select

from helpdesk_core.accounts.models import Organization
from helpdesk_core.accounts.permissions import USE
from helpdesk_core.api import Context, Message, Router
from helpdesk_core.audit import AuditEntry
from helpdesk_core.plugins import Manifest, Plugin, PluginHost, State
from helpdesk_core.plugins.checking import REGISTRATION_HOOKS
from helpdesk_core.testing import running
from tests.contract.steps import refused, served


def endpoint(prefix):
    """The only endpoint of a plugin of these tests."""
    router = Router(prefix, tag=prefix)

    @router.get("/", permission=USE)
    def answer(ctx: Context) -> Message:
        """Tells that it is on."""
        return Message(message="on")

    return router


def made(id, **fields):
    """A plugin that is not installed anywhere."""
    manifest = Manifest(id=id, name=id.title(), api=1, prefixes=(id,), **fields)
    declared = {**{hook: [] for hook in REGISTRATION_HOOKS}, "register_routes": [endpoint(id)]}
    return Plugin(id, f"sample_{id}", Path(), manifest, version="1.2", declared=declared)


@pytest.fixture
def installation(helpdesk_host, helpdesk_databases, tmp_path):
    """A helpdesk with four more plugins, one of which has failed."""
    broken = Plugin("broken", "sample_broken", Path(), None, State.FAILED)
    more = [made("calls"), made("rotas", tier="professional", requires=("calls",)), made("clock", scope="system")]
    with running(helpdesk_databases, PluginHost([*helpdesk_host.plugins, *more, broken]), tmp_path) as installation:
        yield installation


@pytest.fixture
def path(owner):
    return f"/organizations/{owner.organization_id}/plugins/"


@pytest.fixture
def tier(installation, owner):
    """Sets the tier of Acme."""

    def set_tier(name):
        with installation.session() as session:
            session.get_one(Organization, owner.organization_id).subscription_tier = name
            session.commit()

    return set_tier


def listed(client, path):
    return {plugin["id"]: plugin for plugin in served(client.get(path))}


class TestSeeing:
    def test_is_for_members(self, outsider, anonymous, member, owner, path):
        refused(anonymous.get(path), 401)
        refused(outsider.get(path), 404)
        assert served(member.get(path)) == served(owner.get(path))

    def test_says_what_is_on_and_why_not(self, owner, path, tier):
        shown = listed(owner, path)
        assert shown["rotas"] == {
            "id": "rotas",
            "name": "Rotas",
            "version": "1.2",
            "required_tier": "professional",
            "scope": "organization",
            "requires": ["calls"],
            "state": "active",
            "enabled": True,
            "reason": None,
        }
        assert (shown["accounts"]["scope"], shown["accounts"]["version"]) == ("system", "0.1.0")
        assert "broken" not in shown
        tier("basic")
        shown = listed(owner, path)
        assert (shown["rotas"]["enabled"], shown["rotas"]["reason"]) == (False, "tier_too_low")
        assert shown["calls"]["enabled"]

    def test_of_another_organization_is_for_the_platform(self, platform, outsider, path):
        other = f"/organizations/{outsider.organization_id}/plugins/"
        served(platform.post(f"{other}rotas/disable/"))
        assert not listed(platform, other)["rotas"]["enabled"]
        assert listed(platform, path)["rotas"]["enabled"]


class TestSwitching:
    def test_is_for_administrators(self, outsider, agent, member, owner, path):
        for act in ("enable", "disable"):
            for client, status in ((outsider, 404), (member, 403), (agent, 403), (owner, 200)):
                assert client.post(f"{path}rotas/{act}/").status_code == status

    def test_applies_from_the_next_request_on(self, installation, owner, member, outsider, path):
        served(member.get("/rotas/"))
        shown = served(owner.post(f"{path}rotas/disable/"))
        assert (shown["enabled"], shown["reason"]) == (False, "switched_off")
        found = refused(member.get("/rotas/"), 403)
        assert (found["error"]["code"], found["error"]["details"]) == ("PLUGIN_NOT_ENABLED", {"plugin": "rotas"})
        served(outsider.get("/rotas/"))
        assert served(owner.post(f"{path}rotas/enable/"))["enabled"]
        served(member.get("/rotas/"))

    def test_happens_once(self, installation, owner, path):
        for act in ("enable", "disable", "disable", "enable", "enable"):
            served(owner.post(f"{path}rotas/{act}/"))
        events = [payload for kind, payload in installation.events() if kind == "organization.plugins_changed"]
        organization_id = owner.organization_id
        assert events == [
            {"organization_id": organization_id, "plugin": "rotas", "enabled": False},
            {"organization_id": organization_id, "plugin": "rotas", "enabled": True},
        ]
        with installation.session(organization_id) as session:
            acts = session.scalars(select(AuditEntry.act).where(AuditEntry.act.startswith("organization.plugin")))
            assert list(acts) == ["organization.plugin_disabled", "organization.plugin_enabled"]

    def test_follows_what_needs_what(self, owner, path):
        found = refused(owner.post(f"{path}calls/disable/"), 409)
        assert found["error"]["code"] == "PLUGIN_NEEDED"
        assert found["error"]["details"] == {"plugin": "calls", "needed_by": ["rotas"]}
        served(owner.post(f"{path}rotas/disable/"))
        served(owner.post(f"{path}calls/disable/"))
        found = refused(owner.post(f"{path}rotas/enable/"), 409)
        assert found["error"]["details"] == {"plugin": "rotas", "requires": ["calls"]}
        served(owner.post(f"{path}calls/enable/"))
        served(owner.post(f"{path}rotas/enable/"))

    def test_says_when_something_that_is_needed_is_off(self, installation, owner, path):
        with installation.session() as session:
            session.get_one(Organization, owner.organization_id).disabled_plugins = ["calls"]
            session.commit()
        assert listed(owner, path)["rotas"]["reason"] == "requires_off"

    def test_takes_the_tier(self, owner, path, tier):
        tier("basic")
        found = refused(owner.post(f"{path}rotas/enable/"), 403)
        assert found["error"]["code"] == "PLUGIN_NOT_ENABLED"
        assert found["error"]["details"] == {"plugin": "rotas", "required_tier": "professional"}
        served(owner.post(f"{path}calls/disable/"))

    @pytest.mark.parametrize("act", ["enable", "disable"])
    def test_is_only_for_what_can_be_switched(self, owner, path, act):
        for plugin in ("clock", "accounts"):
            found = refused(owner.post(f"{path}{plugin}/{act}/"), 409)
            assert found["error"]["code"] == "SYSTEM_PLUGIN"
        for plugin in ("broken", "nothing", "No", "a"):
            refused(owner.post(f"{path}{plugin}/{act}/"), 404)


class TestTheTier:
    def test_a_downgrade_closes_at_once_and_an_upgrade_opens_again(self, platform, owner, member, path):
        change = f"/organizations/{owner.organization_id}/change-tier/"
        served(member.get("/rotas/"))
        served(platform.post(change, json={"subscription_tier": "basic"}))
        found = refused(member.get("/rotas/"), 403)
        assert found["error"]["details"] == {"plugin": "rotas", "required_tier": "professional"}
        served(member.get("/calls/"))
        served(platform.post(change, json={"subscription_tier": "professional"}))
        served(member.get("/rotas/"))

    def test_an_upgrade_does_not_open_what_was_switched_off(self, platform, owner, member, path):
        change = f"/organizations/{owner.organization_id}/change-tier/"
        served(owner.post(f"{path}rotas/disable/"))
        served(platform.post(change, json={"subscription_tier": "free"}))
        served(platform.post(change, json={"subscription_tier": "enterprise"}))
        assert listed(owner, path)["rotas"]["reason"] == "switched_off"
        refused(member.get("/rotas/"), 403)
