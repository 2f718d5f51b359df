"""How people would be told by a template."""

from sqlalchemy.orm import Session

from helpdesk_core.accounts.letters import Recipient, language_of
from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.notifications.kinds import Value, Wording
from helpdesk_core.notifications.letters import Notices
from helpdesk_core.notifications.schemas import Preview, PreviewRequest
from helpdesk_core.notifications.service.templates import check_variables, known_variables, template_to_use
from helpdesk_core.notifications.texts import write
from helpdesk_core.permissions import Actor


def preview(session: Session, actor: Actor, notices: Notices, name: str, data: PreviewRequest) -> Preview:
    """Return a template as the actor would be told by it.

    Raises:
        NotFound: there is no such template.
        Invalid: a text that was sent names what is no variable (400).
    """
    template = template_to_use(session, name)
    if template.kind is not None:
        sent = {"subject": data.subject or "", "text": data.text or ""}
        check_variables(sent, known_variables(template))
    user = session.get_one(User, actor.user_id)
    organization = session.get_one(Organization, actor.organization_id)
    recipient = Recipient(user.email, user.language, user.timezone, user.full_name)
    wording = template.wording(language_of(user.language))
    said = Wording(wording.title, data.subject or wording.subject, data.text or wording.text)
    always: dict[str, Value] = {"recipient_name": user.full_name, "organization_name": organization.name}
    values = {name: str(value) for name, value in data.values.items()}
    written = write(said, {**always, **values}, recipient)
    return Preview(subject=written.subject, text=written.text, html=notices.html(written, recipient))
