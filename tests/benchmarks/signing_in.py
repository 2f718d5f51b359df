"""How long it takes to be refused: whoever tries names must not learn from it which of them have an account."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import orjson
from pydantic import SecretStr
from starlette.routing import Mount

from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.service import create_organization, create_user
from helpdesk_core.app import create_app
from helpdesk_core.assembly import Parts, assemble
from helpdesk_core.database import commit
from helpdesk_core.events import attribute_session
from helpdesk_core.migrations import lineages, upgrade
from helpdesk_core.settings import Settings
from helpdesk_core.tenancy import set_unscoped
from helpdesk_core.web.dispatch import Api
from helpdesk_core.web.requests import Incoming
from tests.benchmarks.wire import KEY

KINDS = ("known", "unknown", "closed")
ACCOUNTS = 20


def medians(tries: int) -> dict[str, float]:
    """Return the median milliseconds of a refused login: of names with an account, without one, and with a closed one.

    The kinds take turns, and no name or address comes twice in a row, so that nothing has to wait.
    """
    with TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), secret_key=SecretStr(KEY), plugins=("none",), log_requests=False)
        upgrade(settings.database, lineages(assemble(settings).host))
        parts = assemble(settings)
        _people(parts)
        ask = _asker(parts)
        spent: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for number in range(tries + 3):
            for kind in KINDS[number % 3 :] + KINDS[: number % 3]:
                spent[kind].append(ask(f"{kind}{number % ACCOUNTS}", f"10.{KINDS.index(kind)}.{number % 250}.1"))
        parts.services.database.dispose()
    return {kind: median(milliseconds[3:]) for kind, milliseconds in spent.items()}


def _people(parts: Parts) -> None:
    services = parts.services
    password_hash = services.get(Passwords).hash("correct horse battery staple")
    with services.database.session(writes=True) as session:
        set_unscoped(session)
        attribute_session(session, services.bus, None)
        organization = create_organization(session, name="Acme", slug="acme")
        for kind in ("known", "closed"):
            for number in range(ACCOUNTS):
                name = f"{kind}{number}"
                user = create_user(
                    session,
                    organization=organization,
                    username=name,
                    email=f"{name}@example.com",
                    password_hash=password_hash,
                )
                user.is_active = kind == "known"
        commit(session)


def _asker(parts: Parts) -> Callable[[str, str], float]:
    app = create_app(parts.settings, parts=parts, background=False)
    api = next(route.app for route in app.routes if isinstance(route, Mount) and isinstance(route.app, Api))
    endpoint = api._find("/users/login/")[0]["POST"]

    def ask(name: str, address: str) -> float:
        body = orjson.dumps({"username": name, "password": "not this one, certainly"})
        headers = {"content-type": "application/json", "user-agent": "benchmark"}
        incoming = Incoming("req_0", "POST", "/users/login/", "", headers, body, "http://127.0.0.1", address)
        began = time.perf_counter()
        answer = api._unit_of_work.run(endpoint, incoming)
        spent = (time.perf_counter() - began) * 1000
        if answer.status != 401:
            raise RuntimeError(f"{name} from {address}: {answer.status} {answer.body!r:.300}")
        return spent

    return ask


if __name__ == "__main__":
    found = medians(60)
    print(", ".join(f"{kind} {milliseconds:.1f} ms" for kind, milliseconds in found.items()))
