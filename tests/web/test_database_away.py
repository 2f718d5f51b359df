"""The database does not answer: requests are refused with 503, whatever they ask for, and served when it does again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from helpdesk_core.testing import Client, Installation
from tests.contract.steps import refused, served


@contextmanager
def away(installation: Installation, error: Callable[[], Exception]) -> Iterator[None]:
    """Have every transaction fail to begin, and every statement outside one."""
    engine = installation.parts.services.database.engine

    def fail(*_: Any) -> None:
        raise error()

    for moment in ("begin", "before_cursor_execute"):
        event.listen(engine, moment, fail, insert=True)
    try:
        yield
    finally:
        for moment in ("begin", "before_cursor_execute"):
            event.remove(engine, moment, fail)


ERRORS = {
    "stopped": lambda: OperationalError("SELECT 1", {}, Exception("the database system is shutting down")),
    "closed": lambda: InterfaceError("SELECT 1", {}, Exception("the connection is closed")),
    "short of connections": lambda: PoolTimeout("QueuePool limit reached"),
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_a_request_is_refused_for_now_and_served_later(
    owner: Client, installation: Installation, error: Callable[[], Exception]
) -> None:
    served(owner.get("/users/profile/"))
    with away(installation, error):
        for answer in (owner.get("/users/profile/"), owner.post("/users/change-password/", json={})):
            assert refused(answer, 503)["error"]["code"] == "SERVICE_UNAVAILABLE"
            assert answer.headers["Retry-After"] == "1"
    served(owner.get("/users/profile/"))


def test_a_path_that_is_not_there_is_still_not_there(owner: Client, installation: Installation) -> None:
    served(owner.get("/users/profile/"))
    with away(installation, ERRORS["stopped"]):
        refused(owner.get("/nowhere/"), 404)
        refused(owner.delete("/users/login/"), 405)


def test_a_page_says_so_as_a_page(owner: Client, installation: Installation) -> None:
    served(owner.get("/users/profile/"))
    with away(installation, ERRORS["stopped"]):
        answer = owner.raw("GET", "/account/")
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")


def test_no_plugin_is_blamed(owner: Client, installation: Installation) -> None:
    served(owner.get("/users/profile/"))
    with away(installation, ERRORS["closed"]):
        for _ in range(30):
            refused(owner.get("/users/profile/"), 503)
    served(owner.get("/users/profile/"))
