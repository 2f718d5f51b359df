import pytest

from helpdesk_core.accounts.models import Organization
from helpdesk_core.api import Schema, organization_settings
from helpdesk_core.plugins import PluginHost
from helpdesk_core.plugins.organization_settings import OrganizationSettings
from tests.contract.steps import created, log_in, refused, register, served

DEFAULTS = {"timezone": "UTC", "language": "en", "notifications": True, "two_factor_roles": []}


class OncallSettings(Schema):
    """What a plugin of these tests declares."""

    rotation_days: int = 7
    greeting: str = "Hello"


@pytest.fixture
def own(owner):
    return f"/organizations/{owner.organization_id}/"


@pytest.fixture
def path(own, installation):
    """The settings of Acme, which has a plugin that declares some."""
    declared = installation.parts.services.get(PluginHost).organization_settings
    below = {**declared._below, "oncall": (OncallSettings,)}
    installation.parts.services.get(PluginHost).__dict__["organization_settings"] = OrganizationSettings(
        declared._top, below
    )
    yield f"{own}settings/"
    installation.parts.services.get(PluginHost).__dict__["organization_settings"] = declared


def field_of(reply):
    return refused(reply, 400)["error"]["details"]["field"]


@pytest.mark.parametrize("stored", [None, True, "customer", [5], {"customer": True}], ids=repr)
def test_what_was_stored_before_it_was_checked_counts_as_not_set(installation, owner, anonymous, stored):
    with installation.session() as session:
        session.get_one(Organization, owner.organization_id).settings = {
            "two_factor_roles": stored, "timezone": 5, "language": "de",
        }  # fmt: skip
        session.commit()
    log_in(anonymous, "member")
    user = register(anonymous)
    assert (user["timezone"], user["language"]) == ("UTC", "de")
    served(
        owner.patch(
            f"/organizations/{owner.organization_id}/settings/", json={"two_factor_roles": [], "timezone": "UTC"}
        )
    )


class TestSeeing:
    def test_is_for_administrators(self, outsider, agent, member, owner, path):
        for send in (outsider.get, outsider.patch):
            refused(send(path), 404)
        for client in (member, agent):
            refused(client.get(path), 403)
            refused(client.patch(path, json={"timezone": "UTC"}), 403)
        served(owner.get(path))

    def test_shows_what_applies(self, owner, own, path):
        shown = served(owner.get(path))
        assert {name: shown[name] for name in DEFAULTS} == DEFAULTS
        assert shown["oncall"] == {"rotation_days": 7, "greeting": "Hello"}
        assert served(owner.get(own))["settings"] == {}

    def test_what_was_stored_before_the_plugin_came_is_no_failure(self, installation, owner, path):
        with installation.session() as session:
            session.get_one(Organization, owner.organization_id).settings = {"oncall": "nobody"}
            session.commit()
        assert served(owner.get(path))["oncall"] == {"rotation_days": 7, "greeting": "Hello"}
        assert field_of(owner.patch(path, json={"timezone": "UTC"})) == "oncall"


class TestChanging:
    def test_leaves_what_is_not_sent(self, installation, owner, own, path):
        served(owner.patch(path, json={"timezone": "Europe/Zurich", "theme": {"dark": True}}))
        shown = served(owner.patch(path, json={"language": "pt-br", "oncall": {"rotation_days": 3, "more": [1]}}))
        assert (shown["timezone"], shown["language"], shown["theme"]) == ("Europe/Zurich", "pt-BR", {"dark": True})
        assert shown["oncall"] == {"rotation_days": 3, "greeting": "Hello", "more": [1]}
        assert served(owner.get(own))["settings"] == {
            "timezone": "Europe/Zurich",
            "theme": {"dark": True},
            "language": "pt-BR",
            "oncall": {"rotation_days": 3, "more": [1]},
        }
        events = [payload for kind, payload in installation.events() if kind == "organization.updated"]
        assert [event["changed"] for event in events] == [["settings"]] * 2

    def test_null_puts_back_what_is_declared(self, owner, own, path):
        served(owner.patch(path, json={"timezone": "Europe/Zurich", "theme": 1, "oncall": {"greeting": "Hi"}}))
        shown = served(owner.patch(path, json={"timezone": None, "theme": None, "oncall": None}))
        assert (shown["timezone"], shown["theme"], shown["oncall"]["greeting"]) == ("UTC", None, "Hello")
        assert served(owner.get(own))["settings"] == {"theme": None}

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"timezone": "Mars/Olympus"}, "timezone"),
            ({"timezone": 5}, "timezone"),
            ({"language": "english"}, "language"),
            ({"notifications": "yes"}, "notifications"),
            ({"notifications": 1}, "notifications"),
            ({"two_factor_roles": ["king"]}, "two_factor_roles"),
            ({"two_factor_roles": "admin"}, "two_factor_roles"),
            ({"oncall": {"rotation_days": "seven"}}, "oncall.rotation_days"),
            ({"oncall": {"greeting": 1}}, "oncall.greeting"),
            ({"oncall": 1}, "oncall"),
        ],
        ids=str,
    )
    def test_names_the_declared_key_that_is_wrong(self, owner, own, path, wrong, field):
        found = field_of(owner.patch(path, json=wrong))
        assert found.startswith(field)
        for method in (owner.put, owner.patch):
            assert field_of(method(own, json={"settings": wrong})).startswith(f"settings.{field}")

    @pytest.mark.parametrize(
        "unbounded",
        [
            {"x": "y" * 17_000},
            {"x": "a\x00b"},
            {"a\x00b": 1},
            {"x": 2**63},
            {"x": [[[[[[[[[[1]]]]]]]]]]},
            {"x": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {}}}}}}}}}}},
        ],
        ids=lambda value: str(value)[:20],
    )
    def test_bounds_what_nobody_declared(self, owner, own, path, unbounded):
        for reply in (owner.patch(path, json=unbounded), owner.put(own, json={"settings": unbounded})):
            assert field_of(reply) == "settings"

    def test_bounds_the_whole_and_not_the_change(self, owner, path):
        served(owner.patch(path, json={"a": "y" * 9_000}))
        assert field_of(owner.patch(path, json={"b": "y" * 9_000})) == "settings"
        served(owner.patch(path, json={"a": [[[[[[[[1]]]]]]]]}))

    @pytest.mark.parametrize("key", ["copy", "model_dump", "model_config", "__class__", "", "a.b", "settings"])
    def test_any_name_is_a_key(self, owner, path, key):
        assert served(owner.patch(path, json={key: 1}))[key] == 1

    def test_also_checks_those_of_new_organizations(self, platform, path):
        body = {"name": "Umbrella", "settings": {"oncall": {"rotation_days": "x"}}}
        assert field_of(platform.post("/organizations/", json=body)) == "settings.oncall.rotation_days"
        body["settings"] = {"oncall": {"rotation_days": 1}, "theme": "dark", "two_factor_roles": ["agent", "admin"]}
        assert created(platform.post("/organizations/", json=body))["settings"] == {
            **body["settings"],
            "two_factor_roles": ["admin", "agent"],
        }

    def test_a_stale_tag_is_refused(self, owner, path):
        tag = owner.get(path).headers["ETag"]
        served(owner.patch(path, json={"notifications": False}, headers={"If-Match": tag}))
        refused(owner.patch(path, json={"notifications": True}, headers={"If-Match": tag}), 412)

    def test_new_users_have_zone_and_language(self, owner, path, anonymous):
        served(owner.patch(path, json={"timezone": "Europe/Zurich", "language": "de"}))
        user = register(anonymous)
        assert (user["timezone"], user["language"]) == ("Europe/Zurich", "de")


def test_a_plugin_reads_its_own_with_defaults(installation, owner, path):
    served(owner.patch(path, json={"oncall": {"rotation_days": 3, "more": 1}}))
    with installation.session(owner.organization_id) as session:
        assert organization_settings(session, "oncall", OncallSettings) == OncallSettings(rotation_days=3)
        session.get_one(Organization, owner.organization_id).settings = {"oncall": {"rotation_days": "x"}}
        session.flush()
        assert organization_settings(session, "oncall", OncallSettings) == OncallSettings()
        session.get_one(Organization, owner.organization_id).settings = {"oncall": [1]}
        session.flush()
        assert organization_settings(session, "oncall", OncallSettings) == OncallSettings()
