"""Finds automations that would trigger each other without end, before they do.

An automation leads to another where an effect of its actions is what sets the other one off, and nothing that is known
of the effect contradicts the other's conditions. A circle of such steps need not be endless: to write what is there
already changes nothing and publishes nothing. So steps whose effect writes a value that nobody else in the circle
overwrites are left out, again and again, until nothing is left or everything left can be repeated for ever. A circle
that makes a new ticket each time is endless whatever it writes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from helpdesk_workflow.actions.effects import Effect
from helpdesk_workflow.conditions import UNKNOWN
from helpdesk_workflow.library import Compiled

TICKET_MADE = "ticket.created"
COMMENT_MADE = "comment.created"


@dataclass(frozen=True)
class Suspect:
    """An automation in the search.

    Attributes:
        automation: what it says.
        author_role: the role of whoever it acts for.
    """

    automation: Compiled
    author_role: str = ""

    @cached_property
    def effects(self) -> tuple[Effect, ...]:
        """What its actions may cause."""
        steps = self.automation.draft.steps if self.automation.draft else ()
        return tuple(effect for step in steps for effect in step.action.effects(step.parameters))

    @cached_property
    def leaves(self) -> Mapping[str, Any]:
        """What is known of the ticket when it is done."""
        return {name: value for effect in self.effects for name, value in effect.leaves.items()}


class _Known:
    """Facts as far as they are known of an effect."""

    def __init__(self, effect: Effect, state: Mapping[str, Any]) -> None:
        self._effect = effect
        self._state = state

    def value(self, name: str) -> Any:
        return self._effect.facts.get(name, self._state.get(name, UNKNOWN))

    def change(self, name: str) -> Any:
        changes = self._effect.changes
        return (UNKNOWN, changes[name]) if changes is not None and name in changes else None

    def key(self, asked: frozenset[str]) -> tuple[Any, ...]:
        """Return what is the same for effects that all conditions about `asked` see alike."""
        parts = (self._effect.facts, self._effect.changes or {}, self._state)
        seen = (tuple(sorted((name, id_of(part[name])) for name in part.keys() & asked)) for part in parts)
        return (self._effect.event, *seen)


def id_of(value: Any) -> str:
    """Return a text that tells known values apart."""
    return f"{type(value).__name__} {id(value) if type(value) is object else value!r}"


_Edge = tuple[int, int, Effect | None]
"""From an automation to a kind of effect, with that effect, or from there to an automation that it may set off."""


def find_loop(new: Suspect, others: Iterable[Suspect]) -> list[Compiled] | None:
    """Return the automations of an endless circle that `new` is part of, in their order; nothing if there is none."""
    suspects = [new, *others]
    search = _Search(suspects)
    edges = list(search.edges_from(0))
    while True:
        circle = _within(edges)
        members = [suspects[edge[0]] for edge in circle if edge[2] is not None]
        written = _written(members)
        lasting = circle if _makes_tickets(circle) else [edge for edge in circle if _lasts(edge[2], written)]
        if len(lasting) == len(edges):
            break
        edges = lasting
    path = [place for place in _path_home(edges) if place < len(suspects)]
    return [suspects[place].automation for place in (*path, *_rivals(path, edges, suspects))] or None


def _rivals(path: Sequence[int], edges: Iterable[_Edge], suspects: Sequence[Suspect]) -> list[int]:
    """Return who overwrites what is written on the path, if nobody on it does: without them it would end."""
    writes = {edge[2].writes for edge in edges if edge[0] in path and edge[2] is not None and edge[2].writes}
    written = _written(suspects[place] for place in path)
    alone = {field: value for field, value in writes if len(written[field]) == 1}
    places = sorted({edge[0] for edge in edges if edge[0] < len(suspects)} - {*path})
    for place in places:
        for field, values in _written([suspects[place]]).items():
            if field in alone and values - {alone[field]}:
                return [place]
    return []


class _Search:
    """Finds what may follow from what. Effects that all conditions see alike are looked at once."""

    def __init__(self, suspects: Sequence[Suspect]) -> None:
        self._suspects = suspects
        self._by_event: dict[str, list[int]] = {}
        self._asked: dict[str, frozenset[str]] = {}
        self._left: dict[str, set[str]] = {}
        for place, each in enumerate(suspects):
            if each.automation.draft is not None:
                kind = each.automation.event_type
                self._by_event.setdefault(kind, []).append(place)
                self._asked[kind] = self._asked.get(kind, frozenset()) | each.automation.draft.reading.names
            for name, value in each.leaves.items():
                self._left.setdefault(name, set()).add(id_of(value))
        self._written = _written(suspects)
        self._makes_tickets = any(effect.event == TICKET_MADE for each in suspects for effect in each.effects)
        self._kinds: dict[tuple[Any, ...], int] = {}

    def edges_from(self, start: int) -> Iterator[_Edge]:
        """Iterate over every step that can follow, directly or later, from what `start` does."""
        seen, waiting = {start}, [start]
        while waiting:
            place = waiting.pop()
            for edge in self._edges(place):
                yield edge
                if edge[1] < len(self._suspects) and edge[1] not in seen:
                    seen.add(edge[1])
                    waiting.append(edge[1])

    def _edges(self, place: int) -> Iterator[_Edge]:
        suspect = self._suspects[place]
        # What somebody else leaves otherwise may have been changed again before anybody looks.
        state = {name: value for name, value in suspect.leaves.items() if len(self._left[name]) == 1}
        for effect in suspect.effects:
            if effect.event not in self._by_event:
                continue
            if not self._makes_tickets and not _lasts(effect, self._written):
                continue
            known = _Known(_completed(effect, suspect), {} if effect.event == TICKET_MADE else state)
            key = known.key(self._asked[effect.event])
            is_new = key not in self._kinds
            kind = self._kinds.setdefault(key, len(self._suspects) + len(self._kinds))
            yield place, kind, effect
            if is_new:
                yield from ((kind, other, None) for other in self._set_off(effect.event, known))

    def _set_off(self, event: str, known: _Known) -> Iterator[int]:
        for place in self._by_event[event]:
            draft = self._suspects[place].automation.draft
            if draft is not None and draft.reading.root.could_hold(known) is not False:
                yield place


def _completed(effect: Effect, suspect: Suspect) -> Effect:
    """Add what the author tells: automations comment in their name."""
    if effect.event != COMMENT_MADE:
        return effect
    author = suspect.automation.author_id
    role = suspect.author_role or UNKNOWN
    return Effect(effect.event, {"author": author, "author_id": author, "author_role": role, **effect.facts})


def _written(suspects: Iterable[Suspect]) -> Mapping[str, set[Any]]:
    """Return the values that automations write, by field."""
    found: dict[str, set[Any]] = {}
    for suspect in suspects:
        for effect in suspect.effects:
            if effect.writes is not None:
                found.setdefault(effect.writes[0], set()).add(effect.writes[1])
    return found


def _makes_tickets(edges: Iterable[_Edge]) -> bool:
    """Tell whether a circle comes to a new ticket each time: whatever is written there has not been there before."""
    return any(effect is not None and effect.event == TICKET_MADE for _, _, effect in edges)


def _lasts(effect: Effect | None, written: Mapping[str, set[Any]]) -> bool:
    """Tell whether an effect can happen again and again: somebody overwrites what it writes, or it writes nothing."""
    return effect is None or effect.writes is None or len(written.get(effect.writes[0], ())) > 1


def _within(edges: Sequence[_Edge]) -> list[_Edge]:
    """Return the steps on circles through the first automation."""
    there = _reached((source, target) for source, target, _ in edges)
    back = _reached((target, source) for source, target, _ in edges)
    return [edge for edge in edges if edge[0] in there and edge[1] in back]


def _following(steps: Iterable[tuple[int, int]]) -> Mapping[int, list[int]]:
    found: dict[int, list[int]] = {}
    for source, target in steps:
        found.setdefault(source, []).append(target)
    return found


def _reached(steps: Iterable[tuple[int, int]]) -> set[int]:
    """Return where steps lead from the first automation."""
    following, seen, waiting = _following(steps), {0}, [0]
    while waiting:
        new = {*following.get(waiting.pop(), ())} - seen
        seen |= new
        waiting.extend(new)
    return seen


def _path_home(edges: Sequence[_Edge]) -> list[int]:
    """Return the shortest way from the first automation back to itself; nothing if there is none."""
    following = _following((source, target) for source, target, _ in edges)
    came_from: dict[int, int] = {}
    waiting = [0]
    for place in waiting:
        for target in following.get(place, ()):
            if target == 0:
                return _backwards(came_from, place)
            if target not in came_from:
                came_from[target] = place
                waiting.append(target)
    return []


def _backwards(came_from: Mapping[int, int], place: int) -> list[int]:
    path = [place]
    while path[-1] != 0:
        path.append(came_from[path[-1]])
    return path[::-1]
