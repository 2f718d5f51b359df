"""The vocabularies for forms."""


def values(client, name):
    return [choice["value"] for choice in client.get("/meta/choices/").json()[name]]


def test_states_are_those_of_the_callers_document(member):
    assert values(member, "statuses") == ["new", "open", "pending", "resolved", "closed"]
    assert values(member.classic, "statuses") == ["open", "in_progress", "resolved", "closed"]


def test_priorities_have_a_rank_and_a_label(member):
    assert values(member, "priorities") == ["low", "medium", "high", "urgent"]
    assert member.classic.get("/meta/choices/").json()["statuses"][1]["label"] == "In Progress"


def test_strangers_see_none(anonymous):
    assert anonymous.get("/meta/choices/").status_code == 401
