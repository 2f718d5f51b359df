"""What a list can be sorted by: read from the read model that its function names, so that nobody writes it twice."""

from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any, get_args

from helpdesk_core.queries import FullText, ReadModel
from helpdesk_core.web.openapi.generators import Document
from helpdesk_core.web.routing import Endpoint


def ordering_of(endpoint: Endpoint) -> Document | None:
    """Return the parameter `ordering` of a list; nothing when its function names no read model, or several."""
    shown = set(_rows_of(endpoint.answer))
    named = (model for model in _named_by(endpoint.function, depth=2) if set(model.schemas.values()) == shown)
    models = {id(model): model for model in named}
    if len(models) != 1:
        return None
    (model,) = models.values()
    names = [*model.orders, *(["relevance"] if isinstance(model.search, FullText) else [])]
    if not names:
        return None
    choices = [direction + name for name in names for direction in ("", "-")]
    return {
        "name": "ordering",
        "in": "query",
        "description": f"Fields to sort by, separated by commas; `-` descends. `{model.default_order}` when left out.",
        "schema": {
            "type": "array",
            "items": {"type": "string", "enum": choices},
            "minItems": 1,
            "maxItems": len(names),
        },
        "style": "form",
        "explode": False,
    }


def _rows_of(answer: Any) -> Iterator[Any]:
    """Iterate over the schemas of the rows of `Page[A] | Page[B]`."""
    for page in get_args(answer) or (answer,):
        yield from getattr(page, "__pydantic_generic_metadata__", {}).get("args", ())


def _named_by(function: Any, depth: int) -> Iterator[ReadModel[Any]]:
    """Iterate over read models that a function's code names, `tickets` or `queries.tickets`, or its helpers'."""
    names = function.__code__.co_names
    for found in (function.__globals__.get(name) for name in names):
        if isinstance(found, ReadModel):
            yield found
        elif isinstance(found, FunctionType) and depth:
            yield from _named_by(found, depth - 1)
        elif isinstance(found, ModuleType):
            parts = (vars(found).get(name) for name in names)
            yield from (part for part in parts if isinstance(part, ReadModel))
