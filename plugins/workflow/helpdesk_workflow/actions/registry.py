"""Which actions there are: those of this plugin, and those that others contribute."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from helpdesk_core.api import Contributions, FieldError, HelpdeskError, Invalid
from helpdesk_workflow.actions.context import ActionContext
from helpdesk_workflow.actions.effects import Effect

HOOK = "register_automation_actions"
Run = Callable[[ActionContext, Any], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Action:
    """Something that automations can do.

    Attributes:
        name: what `actions[].type` says.
        title: a short sentence for the people who write automations.
        parameters: schema of `actions[].parameters`.
        run: does it, and returns what there is to tell.
        needs_ticket: whether it makes sense without a ticket.
        changes_ticket: whether it is out of place on a deleted ticket.
        check: refuses parameters that refer to what is not there.
        effects: what may happen because of it, for the search for loops.
        plugin: who contributes it.
    """

    name: str
    title: str
    parameters: type[BaseModel]
    run: Run
    needs_ticket: bool = True
    changes_ticket: bool = True
    check: Callable[[ActionContext, Any], None] | None = None
    effects: Callable[[Any], Iterable[Effect]] = lambda _: ()
    plugin: str = "workflow"

    def read(self, given: Mapping[str, Any], path: str) -> BaseModel:
        """Return the parameters, validated; `Invalid` names what is wrong below `path`."""
        unknown = [name for name in given if name not in self.parameters.model_fields]
        if unknown:
            known = ", ".join(self.parameters.model_fields) or "none"
            raise Invalid.field(f"{path}.{unknown[0][:50]}", f"Unknown parameter. Known: {known}.")
        try:
            return self.parameters.model_validate(dict(given))
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            fields = [FieldError(".".join((path, *map(str, each["loc"][:1]))), _sentence(each)) for each in problems]
            raise Invalid(errors=fields) from None


class Actions:
    """The actions that an organisation has."""

    def __init__(self, own: Sequence[Action], contributions: Contributions) -> None:
        """Keep this plugin's own, and where those of others come from."""
        self._own = {each.name: each for each in own}
        self._contributions = contributions

    def of(self, session: Session) -> Mapping[str, Action]:
        """Return the actions of the plugins that the session's organisation has on; the first of a name counts."""
        found = dict(self._own)
        for each in self._contributions.of(HOOK, session):
            found.setdefault(each.name, contributed(each))
        return found


def contributed(given: Any) -> Action:
    """Return what another plugin contributes as an action; only `name`, `parameters` and `run` have to be there."""
    if isinstance(given, Action):
        return given
    causes = getattr(given, "causes", None)
    return Action(
        name=given.name,
        title=getattr(given, "title", given.name),
        parameters=given.parameters,
        run=given.run,
        needs_ticket=getattr(given, "needs_ticket", True),
        changes_ticket=getattr(given, "changes_ticket", True),
        check=getattr(given, "check", None),
        effects=lambda parameters: [Effect(each) for each in causes(parameters)] if causes else (),
        plugin=type(given).__module__.partition(".")[0].removeprefix("helpdesk_"),
    )


def checked(action: Action, context: ActionContext, parameters: BaseModel, path: str) -> None:
    """Let an action refuse what its parameters refer to; errors name the place in the automation."""
    if action.check is None:
        return
    try:
        action.check(context, parameters)
    except HelpdeskError as refusal:
        errors = [FieldError(f"{path}.{each.field}", each.message) for each in refusal.errors]
        raise Invalid(errors=errors or [FieldError(path, str(refusal))]) from None


def _sentence(problem: Any) -> str:
    if problem["type"] == "missing":
        return "This field is required."
    if problem["type"] in {"literal_error", "enum"}:
        return "Invalid choice."
    message = str(problem["msg"])
    return message if message.endswith(".") else f"{message}."
