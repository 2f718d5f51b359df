"""Mails repeat what is in the inbox, once, when they are wanted."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from helpdesk_core.accounts.models import User
from helpdesk_core.jobs import StoredJob
from helpdesk_core.mail import Mailer, MailNotSent
from tests.notifications.conftest import choose, inbox


@pytest.fixture
def mails(installation):
    """What was sent so far, once everything is delivered."""

    def sent():
        installation.run_jobs()
        return installation.mails

    return sent


@pytest.fixture
def broken(installation, monkeypatch):
    """A mail server that takes nothing until it is mended."""
    mailer = installation.parts.services.get(Mailer)
    whole = mailer.send
    keys = []

    def refuse(mail):
        keys.append(mail.key)
        raise MailNotSent("the mail server: is away")

    monkeypatch.setattr(mailer, "send", refuse)
    return keys, lambda: monkeypatch.setattr(mailer, "send", whole)


def test_say_what_the_inbox_says(agent, tell, mails):
    tell(agent, values={"who": "Ada <b>", "reason": "Fire & smoke\nEverywhere"})
    (mail,) = mails()
    told = inbox(agent)[0]
    assert mail.to == agent.user.email
    assert mail.subject == told["title"] == "Ada <b> paged you"
    assert told["body"] in mail.text
    assert "<p>Reason: Fire &amp; smoke<br>Everywhere</p>" in mail.html
    assert "<b>" not in mail.html
    assert mail.written_at == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_are_in_the_readers_language(installation, agent, tell, mails):
    agent.patch("/users/profile/", json={"language": "de"})
    with installation.session() as session:
        session.execute(update(User).where(User.id == agent.user.id).values(is_verified=True, full_name="Grace H."))
        installation.commit(session)
    tell(agent)
    (mail,) = mails()
    assert mail.text.startswith("Guten Tag Grace H.,\n\nAda hat Sie um")
    assert '<html lang="de">' in mail.html


def test_repeat_what_was_said_even_if_the_template_changed(owner, agent, tell, mails):
    tell(agent)
    owner.put("/notification-templates/shift_paged/", json={"subject": "Other"})
    assert mails()[0].subject == "Ada paged you"


def test_are_the_same_mail_when_they_are_tried_again(agent, tell, mails, broken, clock):
    keys, mend = broken
    tell(agent)
    assert mails() == []
    clock.advance(minutes=1)
    assert mails() == []
    assert len(set(keys)) == 1 < len(keys)
    mend()
    clock.advance(hours=1)
    (mail,) = mails()
    assert mail.key == keys[0]


def test_of_two_things_are_two_mails(agent, member, tell, mails):
    tell(agent, member)
    tell(agent, key="shift 2")
    assert len({mail.key for mail in mails()}) == 3


def test_are_not_sent_where_the_organisation_has_switched_them_off(owner, agent, tell, mails):
    owner.patch(f"/organizations/{owner.organization_id}/settings/", json={"notifications": False})
    tell(agent)
    assert mails() == []
    assert len(inbox(agent)) == 1


def test_are_not_sent_of_kinds_that_are_usually_not_mailed(agent, tell, mails):
    tell(agent, kind="shift_planned")
    assert mails() == []
    choose(agent, channels={"shift_planned": {"email": True}})
    tell(agent, kind="shift_planned", key="shift 2")
    assert len(mails()) == 1


def test_are_not_sent_of_what_was_read_before(agent, tell, mails):
    tell(agent)
    agent.post(f"/notifications/{inbox(agent)[0]['id']}/mark-read/")
    assert mails() == []


def test_are_not_sent_of_what_was_removed_before(agent, tell, mails):
    tell(agent)
    agent.delete(f"/notifications/{inbox(agent)[0]['id']}/")
    assert mails() == []


def test_are_not_sent_when_they_are_no_longer_wanted(agent, tell, mails):
    tell(agent)
    choose(agent, email=False)
    assert mails() == []


def test_are_not_sent_to_accounts_that_were_closed_meanwhile(owner, member, tell, mails):
    tell(member)
    owner.delete(f"/users/{member.user.id}/")
    assert mails() == []


def test_wait_for_the_end_of_quiet_hours(agent, tell, mails, clock):
    agent.patch("/users/profile/", json={"timezone": "Europe/Vienna"})
    choose(agent, quiet_hours={"start": "10:00", "end": "13:00"})  # in Vienna it is 11 o'clock
    tell(agent)
    assert len(inbox(agent)) == 1
    assert mails() == []
    clock.advance(minutes=59)
    assert mails() == []
    clock.advance(minutes=61)
    assert len(mails()) == 1


def test_are_not_even_tried_in_quiet_hours(installation, agent, tell, mails):
    choose(agent, quiet_hours={"start": "09:00", "end": "12:00"})
    tell(agent)
    mails()
    with installation.session() as session:
        (waiting,) = session.scalars(select(StoredJob).where(StoredJob.name.endswith("send_notification_mail"))).all()
    assert (waiting.due_at, waiting.attempts) == (datetime(2026, 3, 2, 12, tzinfo=UTC), 0)


def test_wait_for_quiet_hours_that_were_set_meanwhile(agent, tell, mails, clock):
    tell(agent)
    choose(agent, quiet_hours={"start": "09:00", "end": "12:00"})
    assert mails() == []
    clock.advance(hours=2)
    assert len(mails()) == 1
