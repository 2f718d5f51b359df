"""The language of conditions: fields, operators and trees, read from JSON, held against facts."""

from helpdesk_workflow.conditions.fields import OPERATORS, Field, Kind
from helpdesk_workflow.conditions.reading import Reading, read_conditions
from helpdesk_workflow.conditions.tree import SOMETHING, UNKNOWN, Facts, Node

__all__ = ["OPERATORS", "SOMETHING", "UNKNOWN", "Facts", "Field", "Kind", "Node", "Reading", "read_conditions"]
