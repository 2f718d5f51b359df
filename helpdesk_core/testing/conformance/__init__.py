"""The conformance suite: what every plugin promises to operators, to organisations and to other plugins."""

from helpdesk_core.testing.conformance.case import Case, Check, Finding, NotApplicable, Wrong
from helpdesk_core.testing.conformance.suite import (
    CHECKS,
    NOT_APPLICABLE,
    OK,
    WRONG,
    Outcome,
    PluginConformance,
    outcome_of,
)

__all__ = [
    "CHECKS",
    "NOT_APPLICABLE",
    "OK",
    "WRONG",
    "Case",
    "Check",
    "Finding",
    "NotApplicable",
    "Outcome",
    "PluginConformance",
    "Wrong",
    "outcome_of",
]
