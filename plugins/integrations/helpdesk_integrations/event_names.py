"""Names of events as people write them: either spelling, `ticket.*` for all of a kind, `*` for all."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches

from helpdesk_core.api import EventCatalogue, FieldError, Invalid

EVERYTHING = "*"


def patterns_of(catalogue: EventCatalogue, names: Sequence[str]) -> list[str]:
    """Return the names in their one form.

    Raises:
        Invalid: a name means no event that there is; the nearest one is named (400).
    """
    problems, patterns = [], []
    kinds = {each.type.partition(".")[0] for each in catalogue.all}
    for place, name in enumerate(names):
        pattern = _pattern(catalogue, kinds, name)
        if pattern is None:
            problems.append(FieldError(f"events.{place}", _unknown(catalogue, kinds, name)))
        else:
            patterns.append(pattern)
    if problems:
        raise Invalid(errors=problems)
    return list(dict.fromkeys(patterns))


def covers(patterns: Collection[str], event_type: str) -> bool:
    """Tell whether events of a type are meant by any of the patterns."""
    return not {EVERYTHING, event_type, f"{event_type.partition('.')[0]}.*"}.isdisjoint(patterns)


def _pattern(catalogue: EventCatalogue, kinds: Collection[str], name: str) -> str | None:
    if name == EVERYTHING:
        return EVERYTHING
    if name.endswith((".*", "_*")):
        return f"{name[:-2]}.*" if name[:-2] in kinds else None
    return catalogue.spelled(name)


def _unknown(catalogue: EventCatalogue, kinds: Collection[str], name: str) -> str:
    """Return a sentence that names what was probably meant, in the spelling that was used."""
    underscored = "_" in name and "." not in name
    known = [*(each.type for each in catalogue.all), *(f"{kind}.*" for kind in kinds), EVERYTHING]
    if underscored:
        known = [each.replace(".", "_") for each in known]
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]}?" if near else " GET webhooks/events/ lists all."
    return f"There is no event {name!r}.{hint}"
