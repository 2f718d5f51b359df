"""What there is to build automations of."""

from helpdesk_core.api import Context, Dialect, Page, Router
from helpdesk_workflow.conditions import Field
from helpdesk_workflow.library import actions_of, triggers_of
from helpdesk_workflow.permissions import VIEW
from helpdesk_workflow.schemas.trying import ActionRead, FieldRead, TriggerRead
from helpdesk_workflow.triggers import Trigger

router = Router("advanced-workflow", tag="Automations", document=Dialect.COMPREHENSIVE)


@router.get("/triggers/", permission=VIEW)
def list_triggers(ctx: Context) -> Page[TriggerRead]:
    """What can set automations off, with the fields that conditions can be about, all on one page."""
    found = [_trigger(each) for each in triggers_of(ctx.services.get).by_type.values()]
    return Page(count=len(found), next=None, previous=None, results=found)


@router.get("/actions/", permission=VIEW)
def list_actions(ctx: Context) -> Page[ActionRead]:
    """What automations can do, with JSON Schema of the parameters, all on one page."""
    found = [
        ActionRead(
            type=each.name,
            plugin=each.plugin,
            description=each.title,
            needs_ticket=each.needs_ticket,
            parameters=each.parameters.model_json_schema(),
        )
        for each in actions_of(ctx.session, ctx.services.get).values()
    ]
    return Page(count=len(found), next=None, previous=None, results=found)


def _trigger(trigger: Trigger) -> TriggerRead:
    return TriggerRead(
        type=trigger.name,
        event=trigger.type,
        plugin=trigger.plugin,
        description=trigger.title,
        has_ticket=trigger.has_ticket,
        fields=[_field(each) for each in trigger.fields.values()],
        parameters={"type": "object", "properties": dict(trigger.parameters), "required": list(trigger.parameters)},
        sample=dict(trigger.sample),
    )


def _field(about: Field) -> FieldRead:
    return FieldRead(
        name=about.name,
        type=about.kind.value,
        description=about.title,
        operators=list(about.operators),
        values=list(about.words),
    )
