"""What other plugins can tell the knowledge base."""

from collections.abc import Sequence
from typing import Any

from helpdesk_core.api import hookspec


@hookspec
def register_ticket_desks() -> Sequence[Any]:  # type: ignore[empty-body]
    """Return the desk that has the tickets which articles answer: one object with these attributes.

    - `entity`: the mapped class of tickets, with `id` and `organization_id`; `exists`: the condition of those that are
      not deleted; `visible`: the `Visibility` that says which of them somebody may see;
    - `find(session, viewer, ticket)`: the key of a ticket that `viewer` may see, by what stands for it in paths;
      raises `NotFound`;
    - `briefs(session, viewer, keys)`: by key, mappings with `id`, `ticket_number`, `title` and `status`;
    - `requester(session, key)`: the key of the user whom the ticket is for;
    - `story(session, key)`: a mapping with `title`, `description`, and as `answers` what staff wrote in public;
    - `reply(session, actor, key, content)`: writes to the requester as `actor`; returns the key of what was written;
    - `remaining(session, keys)`: those of `keys` that are not gone for good.

    Implement it with `@hookimpl(optionalhook=True)`: nothing of this plugin has to be imported. The first desk of a
    plugin that the organisation has on is used; without one articles cannot be linked.
    """
