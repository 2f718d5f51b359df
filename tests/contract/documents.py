"""The two API documents as data: reads `contract.yaml` and answers questions about it."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CLASSIC = "classic"
COMPREHENSIVE = "comprehensive"
DIALECTS = (CLASSIC, COMPREHENSIVE)

CONTRACT: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("contract.yaml").read_text("utf-8"))

NOTHING = "nothing"
"""The body of an answer that has none."""


@dataclass(frozen=True)
class Variant:
    """One operation as one document describes it."""

    operation: str
    document: str

    @property
    def method(self) -> str:
        return self._operation["method"]

    @property
    def path(self) -> str:
        """The path below `/api/v1`, with its `{placeholders}`."""
        return self._operation["path"].removeprefix("/api/v1")

    @property
    def needs_credentials(self) -> bool:
        return self._operation["auth"] == "required"

    @property
    def success(self) -> int:
        return self._words["success"]

    @property
    def statuses(self) -> list[int]:
        return self._words["statuses"]

    @property
    def query(self) -> list[str]:
        return list(self._words.get("query", ()))

    @property
    def request(self) -> dict[str, Any]:
        """The documented example, or nothing where the document prints none."""
        return json.loads(self._words.get("request", "{}"))

    @property
    def request_text(self) -> str:
        """The documented example, character for character."""
        return self._words["request"]

    @property
    def _operation(self) -> dict[str, Any]:
        return CONTRACT["operations"][self.operation]

    @property
    def _words(self) -> dict[str, Any]:
        return self._operation[self.document]


@cache
def variants() -> tuple[Variant, ...]:
    return tuple(
        Variant(operation, document)
        for operation, words in CONTRACT["operations"].items()
        for document in DIALECTS
        if document in words
    )


def variant(operation: str, document: str) -> Variant:
    return next(each for each in variants() if each == Variant(operation, document))


def answer(operation: str, dialect: str) -> Any:
    """The body that a caller of this dialect gets from an operation, as an example.

    An operation that only one document describes has that document's body for everybody.
    """
    words = CONTRACT["operations"][operation]
    documented = {
        document: words[document]["response"] for document in DIALECTS if "response" in words.get(document, ())
    }
    if dialect in documented:
        return json.loads(documented[dialect])
    if documented and not all(document in words for document in DIALECTS):
        return json.loads(*documented.values())
    return _undocumented(words["answer"], dialect)


def form(name: str, dialect: str) -> Any:
    """The body `name` of the contract's `answers`."""
    bodies = CONTRACT["answers"][name]
    return json.loads(bodies.get("both") or bodies[dialect])


def page_of(item: Any) -> dict[str, Any]:
    return {**json.loads(CONTRACT["pagination"]["page"]), "results": [item]}


def error(dialect: str) -> dict[str, Any]:
    return json.loads(CONTRACT["errors"][dialect])


def _undocumented(name: str, dialect: str) -> Any:
    if name == NOTHING:
        return NOTHING
    if name in CONTRACT["operations"]:
        return answer(name, dialect)
    if name.startswith("page of "):
        return page_of(form(name.removeprefix("page of "), dialect))
    return form(name, dialect)
