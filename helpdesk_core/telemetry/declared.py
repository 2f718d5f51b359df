"""Declared metrics: names, words and labels. What is counted is somewhere else, see `Metrics`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import ClassVar, Literal

NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
RESERVED = ("_total", "_count", "_sum", "_bucket", "_created", "_info")
OTHER = "other"
"""Stands for every value of a label that was not declared."""

MOST_SERIES = 500
"""Of one metric of a plugin; each is kept in memory by every process, and by Prometheus for months."""

MOST_BOUNDS = 30
SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0)
"""Upper bounds for what takes from milliseconds to half a minute."""

Across = Literal["sum", "min", "max", "own"]
Labels = Mapping[str, Sequence[str]]


@dataclass(frozen=True, eq=False)
class Metric:
    """What all kinds have in common.

    Attributes:
        name: words in lower case, joined by `_`, with the unit last: `webhook_attempt_seconds`. Seconds and bytes,
            never milliseconds. Where it is shown, `helpdesk_plugin_` and the plugin's id stand before it.
        help: one sentence for whoever sees the name for the first time.
        labels: names of labels, each with every value that it can have. Anything else is counted as `other`: what
            people enter, names of organisations and keys have no place here.
    """

    name: str
    help: str
    labels: Labels = field(default_factory=dict)

    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        """Refuse names that Prometheus would not take, or would misread."""
        for name in (self.name, *self.labels):
            if not NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a metric or label: use words in lower case, joined by _")
        if self.name.endswith(RESERVED):
            raise ValueError(f"metric {self.name}: {', '.join(RESERVED)} are added or used by Prometheus itself")
        if not self.help.strip().endswith("."):
            raise ValueError(f"metric {self.name} needs a sentence that explains it")

    @property
    def shown(self) -> str:
        """Return the name as Prometheus has it, without what stands before it."""
        return self.name

    def refuse_unbounded(self) -> None:
        """Refuse labels without values, and too many series."""
        for label, values in self.labels.items():
            if not values:
                raise ValueError(f"metric {self.name}: name every value that the label {label} can have")
        series = prod(len(values) + 1 for values in self.labels.values())
        if series > MOST_SERIES:
            raise ValueError(f"metric {self.name} could have {series} series, of at most {MOST_SERIES}")


@dataclass(frozen=True, eq=False)
class Counter(Metric):
    """Something that only grows: what has happened so far. It is shown as `..._total`.

    attempts = Counter("webhook_attempts", "Attempts to deliver.", {"outcome": ("delivered", "failed")})
    """

    kind: ClassVar[str] = "counter"

    @property
    def shown(self) -> str:
        """Return the name with the ending that Prometheus wants."""
        return f"{self.name}_total"


@dataclass(frozen=True, eq=False)
class Gauge(Metric):
    """Something that goes up and down.

    Attributes:
        across: what the figure of several processes is: their `sum`, or the `min` or `max` of them, or `own` for what
            is the same whichever is asked.
    """

    across: Across = "sum"

    kind: ClassVar[str] = "gauge"


@dataclass(frozen=True, eq=False)
class Histogram(Metric):
    """Something that is measured each time it happens: how many there were up to each of some bounds, and their sum.

    Attributes:
        bounds: the upper bounds, in ascending order; each is a series for every combination of labels.
    """

    bounds: tuple[float, ...] = SECONDS

    kind: ClassVar[str] = "histogram"

    def __post_init__(self) -> None:
        """Refuse bounds that are not in order, and a name without a unit."""
        super().__post_init__()
        if not 0 < len(self.bounds) <= MOST_BOUNDS or list(self.bounds) != sorted({*self.bounds}):
            raise ValueError(f"metric {self.name}: bounds stand in ascending order, at most {MOST_BOUNDS}")
        if not self.name.endswith(("_seconds", "_bytes", "_ratio")):
            raise ValueError(f"metric {self.name}: the name of a histogram ends in its unit, _seconds for instance")
