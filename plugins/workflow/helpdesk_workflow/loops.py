"""Finds automations that would trigger each other without end, before they do.

An automation leads to another where an effect of its actions is what sets the other one off, and nothing that is known
of the effect contradicts the other's conditions. A circle of such steps need not be endless: to write what is there
already changes nothing and publishes nothing. So steps whose effect writes a value that nobody else in the circle
overwrites are left out, again and again, until nothing is left or everything left can be repeated for ever. A circle
that makes a new ticket each time is endless whatever it writes.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
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


_Edge = tuple[int, int, Effect]


def find_loop(new: Suspect, others: Iterable[Suspect]) -> list[Compiled] | None:
    """Return the automations of an endless circle that `new` is part of, in their order; nothing if there is none."""
    suspects = [new, *others]
    search = _Search(suspects)
    edges = search.edges_from(0)
    while True:
        circle = _within(edges)
        members = {place for edge in circle for place in edge[:2]}
        lasting = circle if _makes_tickets(circle) else [e for e in circle if _lasts(e[2], search.writes(members))]
        if len(lasting) == len(edges):
            break
        edges = lasting
    path = _path_home(edges)
    return [suspects[place].automation for place in path] if path else None


class _Search:
    def __init__(self, suspects: Sequence[Suspect]) -> None:
        self._suspects = suspects
        self._by_event: dict[str, list[int]] = {}
        for place, each in enumerate(suspects):
            if each.automation.draft is not None:
                self._by_event.setdefault(each.automation.event_type, []).append(place)
        self._writes = self.writes(range(len(suspects)))
        self._makes_tickets = any(effect.event == TICKET_MADE for each in suspects for effect in each.effects)
        self._left: dict[str, set[Any]] = {}
        for each in suspects:
            for name, value in each.leaves.items():
                self._left.setdefault(name, set()).add(value)

    def edges_from(self, start: int) -> list[_Edge]:
        """Return every step that can follow, directly or later, from what `start` does."""
        seen, waiting, edges = {start}, [start], []
        while waiting:
            place = waiting.pop()
            for edge in self._edges(place):
                edges.append(edge)
                if edge[1] not in seen:
                    seen.add(edge[1])
                    waiting.append(edge[1])
        return edges

    def writes(self, places: Collection[int]) -> Mapping[str, set[Any]]:
        """Return the values that some automations write, by field."""
        found: dict[str, set[Any]] = {}
        for place in places:
            for effect in self._suspects[place].effects:
                if effect.writes is not None:
                    found.setdefault(effect.writes[0], set()).add(effect.writes[1])
        return found

    def _edges(self, place: int) -> Iterable[_Edge]:
        suspect = self._suspects[place]
        # What somebody else leaves otherwise may have been changed again before anybody looks.
        state = {name: value for name, value in suspect.leaves.items() if len(self._left[name]) == 1}
        for effect in suspect.effects:
            if not self._makes_tickets and not _lasts(effect, self._writes):
                continue
            known = _Known(self._completed(effect, suspect), {} if effect.event == TICKET_MADE else state)
            for other in self._by_event.get(effect.event, ()):
                draft = self._suspects[other].automation.draft
                if draft is not None and draft.reading.root.could_hold(known) is not False:
                    yield place, other, effect

    def _completed(self, effect: Effect, suspect: Suspect) -> Effect:
        """Add what the author tells: automations comment in their name."""
        if effect.event != COMMENT_MADE:
            return effect
        author = suspect.automation.author_id
        role = suspect.author_role or UNKNOWN
        return Effect(effect.event, {"author": author, "author_id": author, "author_role": role, **effect.facts})


def _makes_tickets(edges: Iterable[_Edge]) -> bool:
    """Tell whether a circle comes to a new ticket each time: whatever is written there has not been there before."""
    return any(effect.event == TICKET_MADE for _, _, effect in edges)


def _lasts(effect: Effect, writes: Mapping[str, set[Any]]) -> bool:
    """Tell whether an effect can happen again and again: somebody overwrites what it writes, or it writes nothing."""
    return effect.writes is None or len(writes.get(effect.writes[0], ())) > 1


def _within(edges: Sequence[_Edge]) -> list[_Edge]:
    """Return the steps on circles through the first automation."""
    steps = [edge[:2] for edge in edges]
    there, back = _reached(steps), _reached([(target, source) for source, target in steps])
    return [edge for edge in edges if edge[0] in there and edge[1] in back]


def _reached(steps: Sequence[tuple[int, int]]) -> set[int]:
    following_by_place: dict[int, set[int]] = {}
    for source, target in steps:
        following_by_place.setdefault(source, set()).add(target)
    seen, waiting = {0}, [0]
    while waiting:
        following = following_by_place.get(waiting.pop(), set()) - seen
        seen |= following
        waiting.extend(following)
    return seen


def _path_home(edges: Sequence[_Edge]) -> list[int] | None:
    """Return the shortest way from the first automation back to itself."""
    came_from: dict[int, int] = {}
    waiting = [0]
    for place in waiting:
        for source, target, _ in edges:
            if source != place:
                continue
            if target == 0:
                return _backwards(came_from, place)
            if target not in came_from:
                came_from[target] = place
                waiting.append(target)
    return None


def _backwards(came_from: Mapping[int, int], place: int) -> list[int]:
    path = [place]
    while path[-1] != 0:
        path.append(came_from[path[-1]])
    return path[::-1]
