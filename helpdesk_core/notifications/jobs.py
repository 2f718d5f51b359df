"""What happens later: mails go out, and what was told long ago is forgotten."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from helpdesk_core.accounts.letters import Recipient, at_their_address
from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.accounts.queries import core_settings
from helpdesk_core.jobs import JobContext, job
from helpdesk_core.mail import Mailer
from helpdesk_core.notifications.choices import quiet_until, way_of
from helpdesk_core.notifications.letters import Notices
from helpdesk_core.notifications.models import Notification, NotificationPreferences
from helpdesk_core.notifications.texts import Written, template_called
from helpdesk_core.settings import Settings

BATCH = 1_000
MOST_BATCHES = 50
"""Deleted in one run: what is left is for the next one, an hour later."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """A mail that may go out now, or later."""

    written: Written
    recipient: Recipient
    key: str
    told_at: datetime
    not_before: datetime | None = None


@job(slow=True)
def send_notification_mail(ctx: JobContext, notification_id: int) -> None:
    """Mail a notification, unless it was read meanwhile or is no longer wanted; not in quiet hours."""
    with ctx.reading() as session:
        letter = _letter(session, notification_id, ctx.now)
    if letter is None:
        return
    if letter.not_before is not None:
        ctx.again(letter.not_before, "The recipient has quiet hours.")
        return
    mail = ctx.get(Notices).mail(letter.written, letter.recipient, key=letter.key, moment=letter.told_at)
    ctx.get(Mailer).send(mail)


@job(schedule="17 * * * *", per="installation")
def forget_notifications(ctx: JobContext) -> None:
    """Remove what people were told longer ago than the setting says."""
    before = ctx.now - timedelta(days=ctx.get(Settings).notification_days)
    old = select(Notification.id).where(Notification.created_at < before).order_by(Notification.created_at)
    for _ in range(MOST_BATCHES):
        keys = ctx.session.scalars(old.limit(BATCH)).all()
        if keys:
            ctx.session.execute(delete(Notification).where(Notification.id.in_(keys)))
        if len(keys) < BATCH:
            return


ALL = (send_notification_mail, forget_notifications)


def _letter(session: Session, notification_id: int, moment: datetime) -> _Letter | None:
    """Return the mail of a notification; nothing when it is not to be sent."""
    row = session.get(Notification, notification_id)
    if row is None or row.read_at is not None:
        return None
    organization = session.get_one(Organization, row.organization_id)
    settings = core_settings(organization)
    if not organization.is_active or not settings.notifications:
        return None
    written = Written(row.title, row.body)
    if row.user_id is None:
        recipient = Recipient(row.address or "", settings.language, settings.timezone)
        return _Letter(written, recipient, f"notification {row.id} {row.address_key}", row.created_at)
    user = session.get_one(User, row.user_id)
    chosen = session.get(NotificationPreferences, user.id)
    template = template_called(session, row.kind)
    if not user.is_active or (template and not way_of(chosen, row.kind, template.usual).email):
        return None
    later = quiet_until(chosen, user.timezone, moment)
    return _Letter(written, at_their_address(user), f"notification {row.id} {user.id}", row.created_at, later)
