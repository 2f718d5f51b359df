import pytest

from tests.contract.steps import PASSWORD, column, created, deleted, log_in, refused, register, rows, served

ADMIN = {"email": "boss@umbrella.com", "username": "boss", "password": PASSWORD, "role": "admin"}


def happened(installation, kind):
    return [payload for event, payload in installation.events() if event == kind]


@pytest.fixture
def own(owner):
    return f"/organizations/{owner.organization_id}/"


@pytest.fixture
def other(outsider):
    return f"/organizations/{outsider.organization_id}/"


class TestSeeing:
    def test_all_is_for_platform_administrators(self, platform, outsider, other):
        assert set(column(platform, "/organizations/", "slug")) == {"acme-corp", "globex"}
        assert served(platform.get(other))["slug"] == "globex"
        assert column(platform, "/organizations/", "slug", search="glob") == ["globex"]
        assert column(platform, "/organizations/", "slug", is_active="false") == []

    def test_the_policy_when_asked(self, owner, own):
        assert served(owner.get(own, params={"include": "registration"}))["registration"] == "open"

    def test_a_slug_before_registering(self, owner, anonymous):
        assert served(anonymous.get("/organizations/by-slug/acme-corp/")) == {
            "name": "Acme Corporation",
            "slug": "acme-corp",
            "registration": "open",
        }
        refused(anonymous.get("/organizations/by-slug/umbrella/"), 404)


class TestCreating:
    def test_is_for_platform_administrators(self, owner, platform):
        refused(owner.post("/organizations/", json={"name": "Umbrella"}), 403)
        made = created(platform.post("/organizations/", json={"name": "Umbrella"}))
        assert (made["slug"], made["subscription_tier"], made["is_active"]) == ("umbrella", "free", True)
        assert made["settings"] == {}
        assert made["domain"] is None

    @pytest.mark.parametrize(
        ("name", "slug"),
        [
            ("Acme Corp", "acme-corp-2"),
            ("Ünïted & Söns", "united-sons"),
            ("株式会社", "organization"),
            ("x" * 255, "x" * 53),
        ],
    )
    def test_derives_a_slug(self, platform, name, slug):
        assert created(platform.post("/organizations/", json={"name": name}))["slug"] == slug

    def test_refuses_what_is_taken(self, platform):
        found = refused(platform.post("/organizations/", json={"name": "A", "slug": "globex"}), 409)
        assert found["error"]["details"]["field"] == "slug"
        found = refused(platform.post("/organizations/", json={"name": "A", "domain": "GLOBEX.com"}), 409)
        assert found["error"]["details"]["field"] == "domain"

    @pytest.mark.parametrize(
        "body", [{}, {"name": ""}, {"name": "A", "slug": "A b"}, {"name": "A", "domain": "no"}], ids=str
    )
    def test_refuses_what_is_wrong(self, platform, body):
        refused(platform.post("/organizations/", json=body), 400)

    def test_goes_on_with_its_first_administrator(self, platform, anonymous):
        organization = created(platform.post("/organizations/", json={"name": "Umbrella"}))
        user = created(platform.post(f"/organizations/{organization['id']}/members/", json=ADMIN))
        assert column(platform, f"/organizations/{organization['id']}/members/", "id") == [user["id"]]
        assert user["id"] not in column(platform, "/users/", "id")
        assert log_in(anonymous, "boss")["user"]["role"] == "admin"


class TestChanging:
    def test_is_an_event_of_that_organization(self, installation, platform, other, outsider):
        changed = served(platform.patch(other, json={"name": "Globex Inc", "subscription_tier": "free"}))
        assert (changed["name"], changed["subscription_tier"]) == ("Globex Inc", "free")
        (event,) = happened(installation, "organization.updated")
        assert event == {"organization_id": outsider.organization_id, "changed": ["name", "subscription_tier"]}

    def test_nothing_is_no_event(self, installation, owner, own):
        shown = served(owner.get(own))
        assert served(owner.put(own, json=shown)) == shown
        assert happened(installation, "organization.updated") == []

    @pytest.mark.parametrize(
        "settings",
        [
            {"timezone": "Mars/Olympus"},
            {"timezone": 5},
            {"language": "english"},
            {"notifications": "yes"},
            {"x": "y" * 17_000},
            [],
            None,
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_refuses_settings_that_are_wrong(self, owner, own, settings):
        refused(owner.put(own, json={"settings": settings}), 400)

    def test_the_domain_is_cleared_by_null(self, owner, own):
        assert served(owner.put(own, json={"domain": None}))["domain"] is None
        assert served(owner.put(own, json={"domain": "ACME.com"}))["domain"] == "acme.com"

    def test_the_policy_closes_registration(self, owner, own, anonymous):
        served(owner.patch(own, json={"registration": "closed"}))
        body = {"email": "a@example.com", "username": "ada", "password": PASSWORD}
        found = refused(anonymous.post("/users/register/", json=body), 403)
        assert found["error"]["code"] == "REGISTRATION_CLOSED"

    def test_reaches_no_other_organization(self, owner, agent, other):
        for client in (owner, agent):
            for method in (client.put, client.patch):
                refused(method(other, json={"name": "Ours"}), 404)
            refused(client.get(f"{other}members/"), 404)
            refused(client.get("/organizations/999999/members/"), 404)
        refused(owner.post(f"{other}members/", json=ADMIN), 404)


class TestTheTier:
    def test_is_changed_by_platform_administrators_and_kept_as_history(self, platform, outsider, other):
        refused(outsider.post(f"{other}change-tier/", json={"subscription_tier": "free"}), 403)
        shown = served(platform.post(f"{other}change-tier/", json={"subscription_tier": "basic"}))
        assert shown["subscription_tier"] == "basic"
        served(platform.put(other, json={"subscription_tier": "free"}))
        subscription = served(outsider.get(f"{other}subscription/"))
        assert subscription["subscription_tier"] == "free"
        assert [(each["before"], each["after"]) for each in subscription["changes"]] == [
            ("basic", "free"),
            ("enterprise", "basic"),
        ]
        assert {each["changed_by_id"] for each in subscription["changes"]} == {platform.user.id}


class TestClosing:
    def test_shuts_its_members_out(self, platform, outsider, other, anonymous):
        served(outsider.get("/users/profile/"))
        assert served(platform.post(f"{other}deactivate/"))["is_active"] is False
        refused(outsider.get("/users/profile/"), 401)
        refused(anonymous.post("/users/login/", json={"username": "outsider", "password": PASSWORD}), 401)
        assert column(platform, "/organizations/", "slug", is_active="false") == ["globex"]
        served(platform.post(f"{other}activate/"))
        served(outsider.get("/users/profile/"))

    def test_is_for_platform_administrators_and_not_for_their_own(self, owner, own, platform):
        refused(owner.post(f"{own}deactivate/"), 403)
        refused(platform.post(f"{own}deactivate/"), 409)

    def test_for_good_is_for_empty_ones(self, platform, other):
        refused(platform.delete(other), 409)
        made = created(platform.post("/organizations/", json={"name": "Umbrella"}))
        path = f"/organizations/{made['id']}/"
        served(platform.patch(path, json={"subscription_tier": "basic"}))
        deleted(platform.delete(path))
        refused(platform.get(path), 404)
        refused(platform.patch(path, json={"name": "Again"}), 404)


class TestMembers:
    def test_are_the_users_of_the_organization(self, owner, agent, member, own):
        assert column(owner, f"{own}members/", "id") == column(owner, "/users/", "id")
        assert column(agent, f"{own}members/", "role", role="customer") == ["customer"] * 2
        assert column(member, f"{own}members/", "id") == [member.user.id]

    def test_are_added_and_closed_by_administrators(self, owner, agent, own, anonymous):
        refused(agent.post(f"{own}members/", json=ADMIN), 403)
        user = created(owner.post(f"{own}members/", json=ADMIN))
        deleted(owner.delete(f"{own}members/{user['id']}/"))
        refused(anonymous.post("/users/login/", json={"username": "boss", "password": PASSWORD}), 401)
        refused(owner.delete(f"{own}members/999999/"), 404)

    def test_who_registered_with_the_slug_are_among_them(self, outsider, other, anonymous):
        user = register(anonymous, organization_slug="globex")
        assert user["id"] in [each["id"] for each in rows(outsider, f"{other}members/")]


def test_goes_with_all_that_was_kept_of_it(platform):
    made = created(platform.post("/organizations/", json={"name": "Short-lived"}))
    path = f"/organizations/{made['id']}/"
    invited = created(platform.post(f"{path}invitations/", json={"email": "a@example.com", "role": "admin"}))
    deleted(platform.delete(f"{path}invitations/{invited['id']}/"))
    served(platform.post(f"{path}deactivate/", headers={"Idempotency-Key": "once"}))
    deleted(platform.delete(path))
    refused(platform.get(path), 404)
