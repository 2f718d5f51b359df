"""Organisations: who sees one, and what of it can be changed by whom."""

import pytest

from tests.contract.documents import COMPREHENSIVE, variant
from tests.contract.steps import column, created, refused, register, served


@pytest.fixture
def path(owner):
    return f"/organizations/{owner.organization_id}/"


class TestSeeing:
    def test_everybody_sees_their_own(self, owner, agent, member, outsider, path):
        for person in (owner, agent, member):
            assert column(person, "/organizations/", "slug") == ["acme-corp"]
            assert served(person.get(path))["slug"] == "acme-corp"
        assert column(outsider, "/organizations/", "slug") == ["globex"]

    def test_nobody_sees_anothers(self, outsider, path):
        refused(outsider.get(path), 404)
        refused(outsider.put(path, json={"name": "Ours"}), 404)

    def test_filters_narrow_the_list(self, owner):
        for parameters, slugs in (
            ({"search": "acme"}, ["acme-corp"]),
            ({"search": "globex"}, []),
            ({"subscription_tier": "enterprise"}, ["acme-corp"]),
            ({"subscription_tier": "free"}, []),
        ):
            assert column(owner, "/organizations/", "slug", **parameters) == slugs
        refused(owner.get("/organizations/", params={"subscription_tier": "golden"}), 400)


class TestChanging:
    def test_is_for_administrators(self, agent, member, path):
        for person in (agent, member):
            refused(person.put(path, json={"name": "Ours"}), 403)

    def test_put_replaces_the_settings(self, owner, path):
        served(owner.put(path, json={"settings": {"timezone": "UTC", "theme": "dark"}}))
        changed = served(owner.put(path, json={"settings": {"language": "de"}}))
        assert changed["settings"] == {"language": "de"}

    def test_put_leaves_settings_that_are_not_sent(self, owner, path):
        before = served(owner.put(path, json={"settings": {"language": "de"}}))
        assert served(owner.put(path, json={"name": "Acme"}))["settings"] == before["settings"]

    def test_patch_merges_the_settings_one_level_deep(self, owner, path):
        served(owner.put(path, json={"settings": {"language": "en", "hours": {"open": 9, "close": 17}}}))
        changed = served(owner.patch(path, json={"settings": {"timezone": "UTC", "hours": {"open": 8}}}))
        assert changed["settings"] == {"language": "en", "timezone": "UTC", "hours": {"open": 8}}

    def test_the_slug_and_the_state_are_read_only(self, owner, path):
        before = served(owner.get(path))
        after = served(owner.put(path, json={**before, "slug": "other", "is_active": False}))
        assert (after["slug"], after["is_active"]) == ("acme-corp", True)

    def test_a_domain_belongs_to_one_organization(self, owner, outsider, path):
        served(owner.put(path, json={"domain": "acme.com"}))
        reply = outsider.put(f"/organizations/{outsider.organization_id}/", json={"domain": "ACME.com"})
        refused(reply, 409)

    def test_the_domain_alone_joins_nobody(self, owner, outsider, anonymous):
        user = register(anonymous, "guest", email="guest@globex.com")
        assert user["id"] not in column(outsider, "/users/", "id")


class TestTheTier:
    def test_sent_back_as_it_was_lets_the_whole_document_through(self, outsider):
        path = f"/organizations/{outsider.organization_id}/"
        tier = served(outsider.get(path))["subscription_tier"]
        body = variant("organizations_update", COMPREHENSIVE).request
        body |= {"name": "Globex", "domain": "globex.com", "subscription_tier": tier}
        assert served(outsider.put(path, json=body))["name"] == "Globex"

    def test_changed_needs_more_than_an_administrator(self, outsider):
        path = f"/organizations/{outsider.organization_id}/"
        tier = served(outsider.get(path))["subscription_tier"]
        other = "basic" if tier != "basic" else "free"
        refused(outsider.put(path, json={"subscription_tier": other}), 403)
        assert served(outsider.get(path))["subscription_tier"] == tier

    def test_outside_the_vocabulary_is_refused(self, owner, path):
        refused(owner.put(path, json={"subscription_tier": "golden"}), 400)


def test_a_ticket_names_the_organization_of_its_people(owner, outsider):
    for person in (owner, outsider):
        ticket = created(person.post("/tickets/", json={"subject": "Smoke"}))
        shown = served(person.get(f"/organizations/{person.organization_id}/"))
        assert ticket["organization"] == {"id": shown["id"], "name": shown["name"]}
