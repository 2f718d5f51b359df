"""Mails about accounts: in the language and the zone of their reader, after the commit, once more when it failed."""

from dataclasses import dataclass

import pytest
from markupsafe import escape

from helpdesk_core.accounts.handlers import LINK_MAILS, NOTICES, warn_of_quota
from helpdesk_core.accounts.letters import FORMATS, Letters, Recipient
from helpdesk_core.events import HandlerContext, Happened
from helpdesk_core.mail import Mailer, MailNotSent
from tests.accounts.mailbox import links_in, mails_to, newest_mail, token_for
from tests.contract.steps import PASSWORD, created, register, served

ADDRESS = "newcomer@example.com"
HOSTILE = ['<script>alert("x")</script>', '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}{% raw %}", "&lt;b&gt;'\""]
VALUES = {
    "link": "https://help.example.com/account/x/#5.abc",
    "expires_at": "later",
    "happened_at": "now",
    "organization": "Acme",
    "inviter": "Ada",
    "role": "agent",
    "month": "2026-03",
    "percent": 80,
}
MAILS = [
    *LINK_MAILS.values(),
    *NOTICES.values(),
    "address-taken",
    "invitation",
    "email-changed",
    "quota-reached",
]


@dataclass
class Reached:
    month: str = "2026-03"
    percent: int = 80


@pytest.fixture
def letters(installation):
    return installation.parts.services.get(Letters)


def invite(owner, email="invited@example.com"):
    path = f"/organizations/{owner.organization_id}/invitations/"
    return created(owner.post(path, json={"email": email, "role": "agent"}))


class TestTemplates:
    @pytest.mark.parametrize("language", FORMATS)
    @pytest.mark.parametrize("name", MAILS)
    def test_say_the_same_in_both_forms(self, letters, name, language):
        mail = letters.write(name, Recipient("a@b.ch", language, "UTC", "Ada"), "1", **VALUES)
        assert mail.subject
        assert "\n" not in mail.subject
        assert ("Guten Tag Ada," if language == "de" else "Hello Ada,") in mail.text
        assert (
            mail.text.count(VALUES["link"])
            == mail.html.count(VALUES["link"])
            == (name in {*LINK_MAILS.values(), "invitation"})
        )
        for paragraph in mail.text.split("\n\n"):
            assert paragraph.strip().removeprefix("-- \n") in mail.html or "://" in paragraph

    @pytest.mark.parametrize(
        ("language", "subject"), [("de-CH", "Setzen Sie ein neues Passwort"), ("fr", "Set a new password")]
    )
    def test_of_a_language_serve_its_regions_and_english_serves_the_others(self, letters, language, subject):
        mail = letters.write("reset-password", Recipient("a@b.ch", language, "UTC"), "1", **VALUES)
        assert mail.subject == subject

    @pytest.mark.parametrize("name", HOSTILE)
    def test_take_names_as_text(self, letters, name):
        values = {**VALUES, "organization": name, "inviter": name}
        mail = letters.write("invitation", Recipient("a@b.ch", "en", "UTC", name), "1", **values)
        assert name in mail.subject
        assert name in mail.text
        assert mail.html.count(str(escape(name))) == 4
        assert "<script" not in mail.html
        assert "<img" not in mail.html

    def test_take_no_line_of_their_own_from_a_name(self, letters):
        values = {**VALUES, "organization": "Acme\r\nBcc: eve@example.com\n\nbody"}
        mail = letters.write("invitation", Recipient("a@b.ch", "en", "UTC"), "1", **values)
        assert mail.subject == "Invitation to Acme  Bcc: eve@example.com  body"

    def test_of_an_unknown_zone_tell_utc(self, letters, clock):
        recipient = Recipient("a@b.ch", "en", "Mars/Olympus")
        mail = letters.write("password-changed", recipient, "1", happened_at=clock.now())
        assert "2026-03-02 10:00 (UTC)" in mail.text


class TestMails:
    def test_are_in_the_language_and_the_zone_of_their_reader(self, installation, owner, anonymous):
        register(anonymous, language="de", timezone="Europe/Zurich")
        mail = newest_mail(installation, ADDRESS)
        assert mail.subject == "Bestätigen Sie Ihre E-Mail-Adresse"
        assert "bis 05.03.2026, 11:00 (Europe/Zurich)" in mail.text

    def test_to_the_invited_are_in_those_of_the_organization(self, installation, owner):
        settings = {"language": "de", "timezone": "Asia/Tokyo"}
        served(owner.patch(f"/organizations/{owner.organization_id}/", json={"settings": settings}))
        invite(owner)
        assert "bis 09.03.2026, 19:00 (Asia/Tokyo)" in newest_mail(installation, "invited@example.com").text

    def test_greet_nobody_by_a_name_that_a_stranger_may_have_chosen(self, installation, anonymous, owner, clock):
        register(anonymous, "evil.example.com", email=ADDRESS, first_name="Click http://evil.example.com")
        clock.advance(minutes=5)
        served(anonymous.post("/users/password-reset/", json={"email": ADDRESS}))
        assert len(mails_to(installation, ADDRESS)) == 2
        assert "evil" not in "".join(mail.text + mail.html + mail.subject for mail in installation.mails)

    def test_lead_to_no_host_that_a_request_names(self, installation, account, anonymous):
        body = {"email": ADDRESS}
        served(anonymous.post("/users/password-reset/", json=body, headers={"Host": "127.0.0.1"}))
        assert token_for(installation, ADDRESS, "reset-password")

    def test_tell_of_a_changed_password(self, installation, owner):
        body = {"old_password": PASSWORD, "new_password": "another long secret"}
        served(owner.post("/users/change-password/", json=body))
        mail = newest_mail(installation, "owner@acme.com")
        assert mail.subject == "Your password was changed"
        assert "2026-03-02 10:00 (UTC)" in mail.text

    def test_tell_when_it_happened_however_late_they_are(self, installation, owner, clock):
        body = {"old_password": PASSWORD, "new_password": "another long secret"}
        served(owner.post("/users/change-password/", json=body))
        clock.advance(hours=5)
        mail = newest_mail(installation, "owner@acme.com")
        assert "2026-03-02 10:00 (UTC)" in mail.text
        assert mail.written_at == clock.now()

    def test_that_nobody_asked_for_are_silenced_by_the_organization(self, installation, owner, anonymous):
        path = f"/organizations/{owner.organization_id}/"
        served(owner.patch(path, json={"settings": {"notifications": False}}))
        body = {"old_password": PASSWORD, "new_password": "another long secret"}
        served(owner.post("/users/change-password/", json=body))
        register(anonymous)
        invite(owner)
        served(anonymous.post("/users/password-reset/", json={"email": "owner@acme.com"}))
        installation.run_jobs()
        assert {mail.to for mail in installation.mails} == {ADDRESS, "invited@example.com", "owner@acme.com"}
        assert len(links_in(installation.mails)) == 3


class TestDelivery:
    @pytest.fixture
    def failing(self, installation, monkeypatch):
        """Lets sending fail as often as it is told to, and counts the tries."""
        mailer = installation.parts.services.extra[Mailer]
        real, tries = mailer.send, []

        def send(mail):
            database = installation.parts.services.database
            tries.append((mail.key, database.engine.pool.checkedout()))
            if len(tries) <= 2:
                raise MailNotSent("the mail server: SMTPServerDisconnected")
            real(mail)

        monkeypatch.setattr(mailer, "send", send)
        return tries

    def test_sends_again_what_failed_under_the_same_key(self, installation, account, failing, clock):
        for _ in range(3):
            installation.run_jobs()
            clock.advance(minutes=10)
        installation.run_jobs()
        assert len(failing) == 3
        assert len({key for key, _ in failing}) == 1
        assert len(links_in(installation.mails)) == 1

    def test_holds_no_connection_to_the_database_meanwhile(self, installation, account, failing):
        installation.run_jobs()
        assert failing == [(failing[0][0], 0)]

    def test_of_a_link_that_a_newer_one_replaced_sends_the_newer_alone(self, installation, owner, clock):
        made = invite(owner)
        path = f"/organizations/{owner.organization_id}/invitations/{made['id']}/"
        assert owner.delete(path).status_code == 204
        assert mails_to(installation, "invited@example.com") == []


def test_administrators_are_warned_of_the_quota(installation, owner, platform):
    services = installation.parts.services
    with installation.session(owner.organization_id) as session:
        now = installation.clock.now()
        happened = Happened(7, "0-7", owner.organization_id, "quota.reached", 1, "{}", now)
        ctx = HandlerContext(happened, now, services.extra, lambda: session)
        warn_of_quota.function(ctx, Reached())
    for act in ctx.afterwards:
        act()
    assert {mail.to for mail in installation.mails} == {"owner@acme.com", "platform@acme.com"}
    assert {mail.subject for mail in installation.mails} == {"80 % of the quota is used"}
    assert len({mail.key for mail in installation.mails}) == 2
