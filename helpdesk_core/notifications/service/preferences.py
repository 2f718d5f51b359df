"""What somebody chooses to be told, and how."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from helpdesk_core.accounts.letters import language_of
from helpdesk_core.accounts.models import User
from helpdesk_core.errors import FieldError, Invalid
from helpdesk_core.notifications.models import NotificationPreferences
from helpdesk_core.notifications.schemas import ChannelChoice, Channels, PreferencesRead, PreferencesUpdate, QuietHours
from helpdesk_core.notifications.service.templates import all_templates
from helpdesk_core.permissions import Actor
from helpdesk_core.schemas import changes, nearest


def preferences_as_they_apply(session: Session, actor: Actor) -> PreferencesRead:
    """Return what the actor is told: what they chose, and what is usual where they did not."""
    user = session.get_one(User, actor.user_id)
    row = session.get(NotificationPreferences, actor.user_id)
    templates = all_templates(session)
    language = language_of(user.language)
    channels = {}
    for name, template in templates.items():
        # What is mailed at all is told by `email`; here is what would be.
        chosen = row.channels.get(name, {}) if row else {}
        channels[name] = Channels(
            in_app=chosen.get("in_app", template.usual.in_app), email=chosen.get("email", template.usual.email)
        )
    return PreferencesRead(
        email=row.email if row else True,
        quiet_hours=_quiet_hours(row),
        timezone=user.timezone,
        channels=channels,
        titles={name: template.wording(language).title for name, template in templates.items()},
    )


def change_preferences(session: Session, actor: Actor, data: PreferencesUpdate) -> None:
    """Keep what the actor chooses.

    Raises:
        Invalid: a kind is unknown, or quiet hours begin when they end.
    """
    sent = changes(data)
    row = session.get(NotificationPreferences, actor.user_id)
    if row is None:
        row = NotificationPreferences(user_id=actor.user_id, email=True, channels={})
    if "email" in sent:
        row.email = data.email
    if "quiet_hours" in sent:
        _set_quiet_hours(row, data.quiet_hours)
    if "channels" in sent:
        row.channels = _chosen(session, row.channels, data.channels)
    session.add(row)
    session.flush()


def _quiet_hours(row: NotificationPreferences | None) -> QuietHours | None:
    if row is None or row.quiet_from is None or row.quiet_until is None:
        return None
    return QuietHours(start=row.quiet_from, end=row.quiet_until)


def _set_quiet_hours(row: NotificationPreferences, hours: QuietHours | None) -> None:
    if hours is not None and hours.start == hours.end:
        raise Invalid.field("quiet_hours.end", "Quiet hours cannot end when they begin.")
    row.quiet_from = hours.start if hours else None
    row.quiet_until = hours.end if hours else None


def _chosen(
    session: Session, present: Mapping[str, Mapping[str, Any]], given: Mapping[str, ChannelChoice | None]
) -> dict[str, dict[str, Any]]:
    """Return the choices after a change; those for kinds that are gone are forgotten."""
    known = list(all_templates(session))
    unknown = [name for name in given if name not in known]
    if unknown:
        raise Invalid(errors=[FieldError(f"channels.{name}", _no_kind(name, known)) for name in unknown])
    chosen = {name: dict(choice) for name, choice in present.items() if name in known}
    for name, choice in given.items():
        before = chosen.pop(name, {}) if choice is not None else {}
        after = {**before, **(changes(choice) if choice is not None else {})}
        kept = {channel: value for channel, value in after.items() if value is not None}
        chosen.pop(name, None)
        if kept:
            chosen[name] = kept
    return chosen


def _no_kind(name: str, known: list[str]) -> str:
    near = nearest(name, known)
    return "There is no such kind of notification." + (f" Did you mean {near}?" if near else "")
