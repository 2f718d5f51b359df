"""What other plugins can add to automations."""

from collections.abc import Sequence
from typing import Any

from helpdesk_core.api import hookspec


@hookspec
def register_automation_actions() -> Sequence[Any]:  # type: ignore[empty-body]
    """Return what automations can do as well; each is any object with these attributes.

    - `name`: what `actions[].type` says, unique among all plugins; `title`: a sentence for people;
    - `parameters`: a Pydantic model of `actions[].parameters`;
    - `run(context, parameters)`: does it, in `context.session`, and returns what there is to tell as a mapping, or
      nothing. `context` has `session`, `actor` (with the author's rights), `ticket_id` (or nothing), `event_type`,
      `payload`, `now`, `key` (unique for this action of this run), `get(kind)` and `values()` for placeholders. What
      it does must be rows of that session, jobs of `enqueue` among them: trying an automation out is rolled back.
    - optional: `needs_ticket` (default true), `changes_ticket` (default true: not for deleted tickets),
      `check(context, parameters)`, called at save, which raises `Invalid` naming fields of the parameters, and
      `causes(parameters)`: types of events that running it may publish, for the search for loops.

    Implement it with `@hookimpl(optionalhook=True)`: nothing of this plugin has to be imported.
    """
