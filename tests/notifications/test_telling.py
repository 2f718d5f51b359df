"""Who is told, and that they are told once."""

import pytest
from sqlalchemy import select, update

from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.accounts.permissions import MANAGE_USERS
from helpdesk_core.notifications.models import Notification
from helpdesk_core.notifications.service.telling import UnknownNotification, notify, notify_address
from tests.notifications.conftest import choose, inbox


def told_addresses(installation):
    """The addresses that mails went to so far."""
    installation.run_jobs()
    return sorted(mail.to for mail in installation.mails)


@pytest.fixture
def tell_address(installation):
    """Tells an address something in Acme."""

    def told(address, key="shift 1"):
        with installation.session(installation.client("owner").organization_id) as session:
            notify_address(session, address, "shift_paged", key=key, values={"who": "Ada"})
            installation.commit(session)

    return told


def test_people_of_another_organisation_are_told_nothing(installation, tell, agent, outsider):
    tell(agent, outsider)
    assert inbox(outsider) == []
    assert told_addresses(installation) == [agent.user.email]


def test_closed_accounts_are_told_nothing(installation, owner, agent, member, tell):
    owner.delete(f"/users/{member.user.id}/")
    tell(agent, member)
    assert told_addresses(installation) == [agent.user.email]
    with installation.session() as session:
        assert session.scalars(select(Notification.user_id)).all() == [agent.user.id]


def test_a_closed_organisation_is_told_nothing(installation, agent, tell):
    with installation.session() as session:
        closing = update(Organization).where(Organization.id == agent.organization_id)
        session.execute(closing.values(is_active=False))
        installation.commit(session)
    tell(agent)
    assert told_addresses(installation) == []


def test_whoever_did_it_is_not_told(tell, agent, owner):
    tell(agent, owner, except_user=owner.user.id)
    assert len(inbox(agent)) == 1
    assert inbox(owner) == []


def test_nobody_is_nobody(installation, agent):
    with installation.session(agent.organization_id) as session:
        notify(session, [None], "shift_paged", key="shift 1")
        installation.commit(session)
    assert told_addresses(installation) == []


def test_only_those_with_the_permission_are_told(tell, owner, agent, member):
    tell(owner, agent, member, needs=MANAGE_USERS)
    assert [len(inbox(client)) for client in (owner, agent, member)] == [1, 0, 0]


def test_a_custom_role_counts_instead_of_the_built_in_one(tell, owner, agent):
    role = {"name": "Gardener", "base": "customer", "permissions": ["accounts:user:manage", "notifications:inbox:use"]}
    made = owner.post("/users/roles/", json=role).json()
    changed = owner.post(f"/users/{agent.user.id}/change-role/", json={"custom_role": made["id"]})
    assert changed.status_code == 200, changed.text
    tell(agent, needs=MANAGE_USERS)
    assert len(inbox(agent)) == 1


def test_nobody_is_told_twice(installation, tell, agent):
    for _ in range(3):
        tell(agent)
    tell(agent, agent, key="shift 2")
    assert [row["kind"] for row in inbox(agent)] == ["shift_paged", "shift_paged"]
    assert told_addresses(installation) == [agent.user.email] * 2


def test_the_same_key_of_another_kind_is_something_else(tell, agent):
    tell(agent)
    tell(agent, kind="shift_planned")
    assert len(inbox(agent)) == 2


def test_what_is_rolled_back_was_never_told(installation, agent):
    with installation.session(agent.organization_id) as session:
        notify(session, [agent.user.id], "shift_paged", key="shift 1")
    assert inbox(agent) == []
    assert told_addresses(installation) == []


def test_an_unknown_kind_is_refused(tell, agent):
    with pytest.raises(UnknownNotification):
        tell(agent, kind="shift_pagd")


def test_values_are_filled_in_literally(tell, agent):
    tell(agent, values={"who": "{reason} {0.__class__} <b>", "reason": "x"})
    assert inbox(agent)[0]["title"] == "{reason} {0.__class__} <b> paged you"


def test_long_values_are_cut(tell, agent):
    tell(agent, values={"who": "Ada\nLovelace " * 50, "reason": "x" * 10_000})
    told = inbox(agent)[0]
    assert len(told["title"]) == 255
    assert "\n" not in told["title"]
    assert len(told["body"]) < 5_000


def test_everybody_reads_their_own_language_and_time(tell, agent, member, clock):
    agent.patch("/users/profile/", json={"language": "de-AT", "timezone": "Europe/Vienna"})
    values = {"who": "Ada", "when": clock.now(), "reason": {"en": "fire", "de": "Feuer"}}
    tell(agent, member, values=values)
    assert inbox(agent)[0]["body"] == "Ada hat Sie um 02.03.2026, 11:00 (Europe/Vienna) gerufen.\n\nFeuer"
    assert inbox(member)[0]["body"] == "Ada paged you at 2026-03-02 10:00 (UTC).\n\nReason: fire"


def test_many_people_are_told_in_few_statements_each(installation, agent, member, second_member, tell):
    with installation.statements() as one:
        tell(agent)
    with installation.statements() as three:
        tell(agent, member, second_member, key="shift 2")
    assert len(three) - len(one) <= 2 * 3


class TestAddresses:
    def test_without_an_account_get_a_mail(self, installation, tell_address):
        tell_address("Stranger@Example.com")
        tell_address("stranger@example.com")
        assert told_addresses(installation) == ["Stranger@Example.com"]
        (mail,) = installation.mails
        assert mail.subject == "Ada paged you"
        assert mail.text.startswith("Hello,\n\nAda paged you")

    def test_of_somebody_with_an_account_are_told_as_they_chose(self, installation, tell_address, agent):
        choose(agent, channels={"shift_paged": {"email": False}})
        tell_address(agent.user.email.upper())
        assert len(inbox(agent)) == 1
        assert told_addresses(installation) == []

    def test_of_a_closed_account_get_nothing(self, installation, tell_address, owner, member):
        owner.delete(f"/users/{member.user.id}/")
        tell_address(member.user.email)
        assert told_addresses(installation) == []

    def test_of_another_organisation_get_a_mail_and_nothing_in_their_inbox(self, installation, tell_address, outsider):
        tell_address(outsider.user.email)
        assert told_addresses(installation) == [outsider.user.email]
        assert inbox(outsider) == []

    def test_get_nothing_where_mails_are_switched_off(self, installation, owner, tell_address):
        owner.patch(f"/organizations/{owner.organization_id}/settings/", json={"notifications": False})
        tell_address("stranger@example.com")
        assert told_addresses(installation) == []

    def test_are_written_to_in_the_organisations_language(self, installation, owner, tell_address):
        owner.patch(f"/organizations/{owner.organization_id}/settings/", json={"language": "de"})
        tell_address("stranger@example.com")
        told_addresses(installation)
        assert installation.mails[0].text.startswith("Guten Tag,\n\nAda hat Sie um")


def test_names_of_people_who_proved_their_address_are_known_to_texts(installation, owner, agent, tell):
    body = {"name": "hello", "subject": "Dear {recipient_name}", "text": "From {organization_name}"}
    assert owner.post("/notification-templates/", json=body).status_code == 201
    with installation.session() as session:
        session.execute(update(User).where(User.id == agent.user.id).values(is_verified=True, full_name="Grace H."))
        installation.commit(session)
    tell(agent, kind="hello", values={})
    told = inbox(agent)[0]
    assert told["title"] == "Dear Grace H."
    assert told["body"].startswith("From Acme")
