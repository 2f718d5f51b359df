"""The words that an organisation tells its people things in."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.errors import AlreadyExists, FieldError, Invalid, NotFound, Unprocessable
from helpdesk_core.events import now
from helpdesk_core.notifications.installed import kinds_on
from helpdesk_core.notifications.kinds import ALWAYS
from helpdesk_core.notifications.models import NotificationTemplate
from helpdesk_core.notifications.schemas import TemplateCreate, TemplateRead, TemplateUpdate, Texts
from helpdesk_core.notifications.texts import Template
from helpdesk_core.placeholders import variables_in
from helpdesk_core.schemas import changes, nearest

MOST_TEMPLATES = 200


class TooManyTemplates(Unprocessable):
    """An organization has at most 200 templates of its own."""


def all_templates(session: Session) -> dict[str, Template]:
    """Return what the session's organisation can say, by name: what is built in first, then its own by name."""
    own = {row.name: row for row in session.scalars(select(NotificationTemplate).order_by(NotificationTemplate.name))}
    kinds = {kind.name: kind for _, kind in kinds_on(session)}
    built_in = {name: Template(name, kind, own.get(name)) for name, kind in kinds.items()}
    return {**built_in, **{name: Template(name, None, row) for name, row in own.items() if name not in kinds}}


def shown_templates(session: Session) -> list[TemplateRead]:
    """Return every template as it is shown."""
    plugins = {kind.name: plugin for plugin, kind in kinds_on(session)}
    return [_shown(template, plugins.get(name)) for name, template in all_templates(session).items()]


def shown_template(session: Session, name: str) -> TemplateRead:
    """Return one template as it is shown; `NotFound` when there is none."""
    found = next((template for template in shown_templates(session) if template.name == name), None)
    if found is None:
        raise NotFound
    return found


def template_to_use(session: Session, name: str) -> Template:
    """Return one template; `NotFound` when there is none."""
    template = all_templates(session).get(name)
    if template is None:
        raise NotFound
    return template


def create_template(session: Session, data: TemplateCreate) -> None:
    """Add a template.

    Raises:
        AlreadyExists: the name is taken (409).
        Invalid: a text names what is no variable (400).
        TooManyTemplates: (422).
    """
    if data.name in all_templates(session):
        raise AlreadyExists.field("name", "A template with this name exists.")
    if (session.scalar(select(func.count()).select_from(NotificationTemplate)) or 0) >= MOST_TEMPLATES:
        raise TooManyTemplates
    texts = {"subject": data.subject, "text": data.text}
    variables = _used(texts) if data.variables is None else data.variables
    check_variables(texts, variables)
    after = {"title": data.title or data.name, **texts}
    row = _add(session, data.name, {**after, "variables": variables})
    audit.record(
        session, "notification_template.created", "notification_template", row.id, after={"name": data.name, **after}
    )


def update_template(session: Session, name: str, data: TemplateUpdate) -> None:
    """Say something else.

    Raises:
        NotFound: there is no such template.
        Invalid: a text names what is no variable, or the variables of a built-in template would change (400).
    """
    template = template_to_use(session, name)
    wording = template.wording("en")
    before = {"title": wording.title, "subject": wording.subject, "text": wording.text}
    sent = changes(data)
    variables = sent.pop("variables", None)
    after = {**before, **sent}
    texts = {field: after[field] for field in ("subject", "text")}
    if template.kind is not None:
        if variables is not None and set(variables) != set(known_variables(template)):
            raise Invalid.field("variables", "The variables of a built-in template cannot be changed.")
        check_variables(texts, known_variables(template))
        stored: Sequence[str] = ()
    else:
        stored = _used(texts) if variables is None else variables
        check_variables(texts, stored)
    row = _keep(session, template, {**after, "variables": list(stored)})
    if after != before:
        what = ("notification_template.updated", "notification_template", row.id)
        audit.record(session, *what, before={"name": name, **before}, after={"name": name, **after})


def reset_template(session: Session, name: str) -> None:
    """Say again what is built in; a template that the organisation made is removed."""
    template = template_to_use(session, name)
    if template.own is not None:
        own = template.own
        before = {"name": name, "title": own.title, "subject": own.subject, "text": own.text}
        session.delete(own)
        session.flush()
        audit.record(session, "notification_template.deleted", "notification_template", own.id, before=before)


def check_variables(texts: Mapping[str, str], known: Collection[str]) -> None:
    """Refuse texts that name what is no variable: it would stand there in braces for everybody to read.

    Raises:
        Invalid: naming the field, the variable, and the nearest known one.
    """
    names = sorted({*known, *ALWAYS})
    problems = [
        FieldError(field, _no_variable(name, names))
        for field, text in texts.items()
        for name in variables_in(text)
        if name not in names
    ]
    if problems:
        raise Invalid(errors=problems)


def _no_variable(name: str, known: Sequence[str]) -> str:
    near = nearest(name, known)
    hint = f" Did you mean {{{near}}}?" if near else ""
    return f"There is no variable {{{name}}}.{hint} Known: {', '.join(known)}."


def known_variables(template: Template) -> list[str]:
    """Return what can stand between the braces of a template."""
    if template.kind is not None:
        declared: Sequence[str] = template.kind.variables
    else:
        declared = template.own.variables if template.own else ()
    return list(dict.fromkeys([*declared, *ALWAYS]))


def _used(texts: Mapping[str, str]) -> list[str]:
    return [name for name in variables_in(" ".join(texts.values())) if name not in ALWAYS]


def _keep(session: Session, template: Template, values: Mapping[str, Any]) -> NotificationTemplate:
    if template.own is None:
        return _add(session, template.name, values)
    for name, value in values.items():
        setattr(template.own, name, value)
    template.own.updated_at = now(session)
    session.flush()
    return template.own


def _add(session: Session, name: str, values: Mapping[str, Any]) -> NotificationTemplate:
    moment = now(session)
    row = NotificationTemplate(name=name, created_at=moment, updated_at=moment, **values)
    session.add(row)
    session.flush()
    return row


def _shown(template: Template, plugin: str | None) -> TemplateRead:
    wording, kind, own = template.wording("en"), template.kind, template.own
    default = Texts(subject=kind.subject, text=kind.text) if kind else None
    return TemplateRead(
        name=template.name,
        title=wording.title,
        subject=wording.subject,
        text=wording.text,
        variables=known_variables(template),
        plugin=plugin,
        is_custom=kind is None,
        is_changed=own is not None and kind is not None,
        default=default,
        updated_at=own.updated_at if own else None,
    )
