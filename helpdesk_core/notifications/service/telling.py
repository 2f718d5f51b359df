"""Telling people: who is told, by which way, and once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from helpdesk_core.accounts.letters import Recipient, at_their_address, language_of
from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.accounts.queries import core_settings, those_who_may
from helpdesk_core.accounts.schemas.types import key_of
from helpdesk_core.errors import Unprocessable
from helpdesk_core.events import now, publish
from helpdesk_core.jobs import enqueue
from helpdesk_core.notifications.choices import quiet_until, way_of
from helpdesk_core.notifications.events import NotificationCreated
from helpdesk_core.notifications.installed import is_off, roles_in
from helpdesk_core.notifications.jobs import send_notification_mail
from helpdesk_core.notifications.kinds import Value
from helpdesk_core.notifications.models import Notification, NotificationPreferences
from helpdesk_core.notifications.queries import open_accounts, preferences_of
from helpdesk_core.notifications.texts import Template, Written, template_called, write
from helpdesk_core.permissions import Permission
from helpdesk_core.statements import insertion
from helpdesk_core.tenancy import organization_of

_add = insertion(Notification, returning="id", unless_taken=True)


class UnknownNotification(Unprocessable):
    """There is no notification template of this name."""


@dataclass(frozen=True, slots=True)
class _Notice:
    """What is told, before it is known to whom.

    Attributes:
        template: the words.
        key: of what is told.
        about: the object, `ticket:12`; empty for none.
        link: where that is; empty for nowhere.
        values: of the variables.
        organization: in which it happened.
        moment: now.
    """

    template: Template
    key: str
    about: str
    link: str
    values: Mapping[str, Value]
    organization: Organization
    moment: datetime

    def written_for(self, recipient: Recipient) -> Written:
        """Return the words for one recipient."""
        always: dict[str, Value] = {"recipient_name": recipient.name, "organization_name": self.organization.name}
        return write(self.template.wording(language_of(recipient.language)), {**always, **self.values}, recipient)

    def row(self, written: Written) -> dict[str, Any]:
        """Return what is stored, whoever is told."""
        kind, _, key = self.about.partition(":")
        return {
            "kind": self.template.name,
            "key": self.key,
            "title": written.subject,
            "body": written.text,
            "object": kind or None,
            "object_id": int(key) if key else None,
            "link": self.link or None,
            "created_at": self.moment,
        }

    @property
    def mails(self) -> bool:
        """Tell whether the organisation wants its people to get mails that they did not ask for."""
        return core_settings(self.organization).notifications


def notify(
    session: Session,
    user_ids: Collection[int | None],
    kind: str,
    *,
    key: str,
    about: str = "",
    values: Mapping[str, Value] | None = None,
    link: str = "",
    except_user: int | None = None,
    needs: Permission | None = None,
) -> None:
    """Tell people something, in their inbox and by mail, each as they chose and in their language.

    Closed accounts and people of other organisations are told nothing, and nobody is told twice: another call with the
    same key does nothing.

    Args:
        session: of the organisation.
        user_ids: who is told; None in it is nobody, so that `[ticket.assigned_agent_id]` needs no question.
        kind: name of a declared kind, or of a template that the organisation made.
        key: of what is told, `event 17` for instance; at most 120 characters.
        about: the object that it is about, by the name of its resource, `ticket:12`.
        values: what stands for the variables of the text. They are filled in literally; see `Value`.
        link: where the object is on this server, `/api/v1/tickets/12/`.
        except_user: who is not told, since it was them.
        needs: only those who have this permission are told.

    Raises:
        UnknownNotification: there is no such kind.
    """
    if is_off(session, kind):
        return
    notice = _notice(session, kind, key=key, about=about, values=values, link=link)
    wanted = {each for each in user_ids if each is not None} - {except_user}
    if not wanted or not notice.organization.is_active:
        return
    users = open_accounts(session, wanted)
    if needs is not None and users:
        allowed = those_who_may(session, roles_in(session), needs, [user.id for user in users])
        users = [user for user in users if user.id in allowed]
    chosen = preferences_of(session, [user.id for user in users]) if users else {}
    for user in users:
        _tell(session, notice, user, chosen.get(user.id))


def notify_address(
    session: Session,
    address: str,
    kind: str,
    *,
    key: str,
    about: str = "",
    values: Mapping[str, Value] | None = None,
) -> None:
    """Mail something to somebody by their address; whoever has an account in the organisation is told as `notify` does.

    The mail is in the organisation's language. A second call with the same key does nothing.

    Args:
        session: of the organisation.
        address: to which it goes.
        kind: see `notify`.
        key: see `notify`.
        about: see `notify`.
        values: see `notify`.

    Raises:
        UnknownNotification: there is no such kind.
    """
    known = session.scalars(select(User.id).where(User.email_key == key_of(address))).first()
    if known is not None:
        notify(session, [known], kind, key=key, about=about, values=values)
        return
    if is_off(session, kind):
        return
    notice = _notice(session, kind, key=key, about=about, values=values, link="")
    if not notice.organization.is_active or not notice.mails:
        return
    settings = core_settings(notice.organization)
    row = notice.row(notice.written_for(Recipient(address, settings.language, settings.timezone)))
    whom = {"user_id": None, "address": address, "address_key": key_of(address), "hidden_at": notice.moment}
    _store(session, {**row, **whom})


def _notice(
    session: Session, kind: str, *, key: str, about: str, values: Mapping[str, Value] | None, link: str
) -> _Notice:
    template = template_called(session, kind)
    if template is None:
        raise UnknownNotification(details={"template": kind})
    organization = session.get_one(Organization, organization_of(session))
    return _Notice(template, key, about, link, values or {}, organization, now(session))


def _tell(session: Session, notice: _Notice, user: User, chosen: NotificationPreferences | None) -> None:
    way = way_of(chosen, notice.template.name, notice.template.usual)
    mailed = way.email and notice.mails
    if not way.in_app and not mailed:
        return
    row = notice.row(notice.written_for(at_their_address(user)))
    hidden_at = None if way.in_app else notice.moment
    at = quiet_until(chosen, user.timezone, notice.moment)
    key = _store(session, {**row, "user_id": user.id, "hidden_at": hidden_at}, at=at, mailed=mailed)
    if key is not None and way.in_app:
        publish(session, NotificationCreated(notification_id=key, user_id=user.id), concerns=[user.id])


def _store(session: Session, row: Mapping[str, Any], *, at: datetime | None = None, mailed: bool = True) -> int | None:
    """Add the row that says that somebody was told; nothing when there is one already."""
    added: Sequence[tuple[Any, ...]] = _add.rows(session, row)
    if not added:
        return None
    key = int(added[0][0])
    if mailed:
        enqueue(session, send_notification_mail, at=at, notification_id=key)
    return key
