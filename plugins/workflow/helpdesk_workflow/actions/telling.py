"""Actions that tell people: by the templates of the installation and of the organisation."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import select

from helpdesk_core.api import DbInt, Invalid, Line, Schema, UnknownNotification, User, notify, notify_address
from helpdesk_tickets.api import Ticket, change_priority, subject_of
from helpdesk_workflow.actions.context import ActionContext
from helpdesk_workflow.actions.effects import Effect
from helpdesk_workflow.actions.people import administrators
from helpdesk_workflow.actions.registry import Action
from helpdesk_workflow.actions.tickets import raised
from helpdesk_workflow.conditions import UNKNOWN
from helpdesk_workflow.kinds import ESCALATED

_ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,189}\.[^@\s,;<>\".]{2,}")
OF_TICKET = ("agent", "customer", "creator")


class SendNotification(Schema):
    """Whom a template tells."""

    template: Line
    """Name of a notification template."""
    recipients: Annotated[list[DbInt | Line], Field(min_length=1, max_length=50)]
    """`agent`, `customer` and `creator` of the ticket, `admins`, keys of users, e-mail addresses."""


class Escalate(Schema):
    """How far the priority goes up; the administrators are told."""

    levels: Literal[1, 2, 3] = 1


def _send(context: ActionContext, given: SendNotification) -> dict[str, Any]:
    users, addresses = _resolved(context, given.recipients)
    about = f"ticket:{context.ticket}" if context.ticket is not None else ""
    told: dict[str, Any] = {"key": context.key, "about": about, "values": _values(context)}
    notify(context.session, users, given.template, **told)
    for address in addresses:
        notify_address(context.session, address, given.template, **told)
    return {"template": given.template, "users": users, "addresses": addresses}


def _values(context: ActionContext) -> dict[str, Any]:
    """Return what texts can name: what those of tickets do, each in the reader's language, and our own placeholders."""
    subject = subject_of(context.session, context.ticket, None) if context.ticket is not None else None
    return {**context.values(), **(subject.values if subject else {})}


def _resolved(context: ActionContext, recipients: list[int | str]) -> tuple[list[int], list[str]]:
    """Return keys of users and addresses, each once; who is not there is left out."""
    users: dict[int, None] = {}
    addresses: dict[str, None] = {}
    people = select(Ticket.assigned_agent_id, Ticket.customer_id, Ticket.created_by_id)
    ticket = context.session.execute(people.where(Ticket.id == context.ticket)).first()
    persons = {
        "agent": ticket and ticket.assigned_agent_id,
        "customer": ticket and ticket.customer_id,
        "creator": ticket and ticket.created_by_id,
    }
    for each in recipients:
        if isinstance(each, int):
            users[each] = None
        elif each == "admins":
            users.update(dict.fromkeys(administrators(context.session)))
        elif each in persons:
            key = persons[each]
            users.update({key: None} if key else {})
        else:
            addresses[each.strip()] = None
    return list(users), list(addresses)


def _check(context: ActionContext, given: SendNotification) -> None:
    try:
        notify(context.session, [], given.template, key="does it exist")
    except UnknownNotification:
        raise Invalid.field("template", "There is no such notification template.") from None
    for each in given.recipients:
        _check_recipient(context, each)


def _check_recipient(context: ActionContext, recipient: int | str) -> None:
    if isinstance(recipient, int):
        if context.session.scalar(select(User.id).where(User.id == recipient)) is None:
            raise Invalid.field("recipients", f"There is no user {recipient}.")
    elif recipient not in {*OF_TICKET, "admins"} and not _ADDRESS.fullmatch(recipient.strip()):
        words = ", ".join((*OF_TICKET, "admins"))
        raise Invalid.field("recipients", f"{recipient[:50]!r} is no recipient: {words}, a user's id or an address.")


def _escalate(context: ActionContext, given: Escalate) -> dict[str, Any]:
    present = context.session.scalars(select(Ticket.priority).where(Ticket.id == context.ticket_id)).one()
    change_priority(context.session, context.actor, context.ticket_id, raised(present, given.levels))
    told = administrators(context.session)
    about = f"ticket:{context.ticket_id}"
    notify(context.session, told, ESCALATED.name, key=context.key, about=about, values=_values(context))
    return {"users": told}


TELLING_ACTIONS = (
    Action(
        "send_notification",
        "Tell people by a notification template",
        SendNotification,
        _send,
        needs_ticket=False,
        changes_ticket=False,
        check=_check,
    ),
    Action(
        "escalate",
        "Raise the priority and tell the administrators",
        Escalate,
        _escalate,
        effects=lambda _: [
            Effect("ticket.updated", changes={"priority": UNKNOWN}, writes=("priority", "urgent")),
        ],
    ),
)
"""What this plugin contributes itself, of what tells people."""
