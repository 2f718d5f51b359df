from tests.contract.steps import rows, served


def seen(installation, client):
    installation.parts.upkeep.keep_up()
    return served(client.get("/users/profile/"))["last_active_at"]


def test_activity_is_noted_and_written_later(installation, member):
    assert served(member.get("/users/profile/"))["last_active_at"] is None
    assert seen(installation, member) == "2026-03-02T10:00:00Z"


def test_activity_is_written_at_most_once_a_minute(installation, member, clock):
    seen(installation, member)
    clock.advance(seconds=59)
    member.get("/users/profile/")
    assert seen(installation, member) == "2026-03-02T10:00:00Z"
    clock.advance(seconds=1)
    member.get("/users/profile/")
    assert seen(installation, member) == "2026-03-02T10:01:00Z"


def test_activity_is_that_of_the_caller_alone(installation, member, owner):
    member.get("/users/profile/")
    assert seen(installation, member)
    assert served(owner.get(f"/users/{owner.user.id}/"))["last_active_at"] is None


def test_activity_does_not_change_the_tag(installation, member):
    tag = member.get("/users/profile/").headers["ETag"]
    assert seen(installation, member)
    assert member.get("/users/profile/").headers["ETag"] == tag
    served(member.patch("/users/profile/", json={"language": "de"}, headers={"If-Match": tag}))
    assert member.get("/users/profile/").headers["ETag"] != tag


def test_the_login_is_noted_with_its_owner(installation, member, clock):
    member.get("/users/profile/")
    clock.advance(seconds=30)
    member.get("/users/profile/")
    installation.parts.upkeep.keep_up()
    (login,) = rows(member, "/users/sessions/")
    assert login["last_used_at"] == "2026-03-02T10:00:00Z"


def test_activity_of_many_is_written_at_once(installation, member, owner):
    for each in (member, owner):
        each.get("/users/profile/")
    with installation.statements() as statements:
        installation.parts.upkeep.keep_up()
    assert [each.split()[1] for each in statements if each.startswith("UPDATE")] == ["core_user", "core_login"]
    assert served(member.get("/users/profile/"))["last_active_at"] is not None
    assert served(owner.get("/users/profile/"))["last_active_at"] is not None


def test_activity_whose_writing_failed_is_written_next_time(installation, member, monkeypatch):
    member.get("/users/profile/")
    with monkeypatch.context() as patched:
        patched.setattr("helpdesk_core.accounts.presence.commit", unable)
        installation.parts.upkeep.keep_up()
    assert served(member.get("/users/profile/"))["last_active_at"] is None
    assert seen(installation, member) == "2026-03-02T10:00:00Z"


def unable(_session):
    raise OSError("no space left")


def test_nothing_is_written_where_nothing_happened(installation, member):
    seen(installation, member)
    installation.parts.upkeep.keep_up()
    with installation.statements() as statements:
        installation.parts.upkeep.keep_up()
    assert [each for each in statements if not each.startswith("SELECT")] == []
