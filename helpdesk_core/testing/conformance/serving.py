"""How the plugin's operations are served beside each other."""

import threading
from collections.abc import Callable
from functools import partial

from helpdesk_core.testing.clients import API
from helpdesk_core.testing.conformance.case import Case, Finding, Findings, NotApplicable
from helpdesk_core.testing.conformance.operations import filled, told, tried
from helpdesk_core.testing.installation import Installation

THREADS = 4
PATIENCE_SECONDS = 5.0
"""How long the second request may take; only one that waits for the first takes more than some milliseconds."""


def quick_reads_hold_nobody_up(case: Case) -> Findings:
    """While a quick read waits for the database, another one like it is answered: it holds no lock meanwhile.

    On PostgreSQL they take turns in one thread, where the second would wait for the first, and the first for its turn.
    """
    reads = [each for each in tried(case.endpoints) if each.method == "GET" and not (each.writes or each.slow)]
    if not reads:
        raise NotApplicable("the plugin has no quick reads")
    installation = case.started(database_threads=THREADS)
    owner = installation.client("owner")
    signed_in = {"Authorization": f"Bearer {owner.token}"}
    for endpoint in reads:
        path = API + filled(endpoint, owner.organization_id)
        if _Pair(partial(installation.http.get, path, headers=signed_in)).is_stuck(installation):
            mend = "let go of what others wait for before the database is asked, or declare slow=True"
            what = "while one request waits for the database, another one like it is not answered"
            yield Finding(what, told(endpoint), mend)


class _Pair:
    """Two requests that are alike, the second of which is sent whenever the first is about to ask the database.

    Both have threads of their own here, so that one that waits for the other is told from one that has stopped all.
    """

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask = ask
        self._second: threading.Thread | None = None

    def is_stuck(self, installation: Installation) -> bool:
        """Tell whether the second had no answer before the first went on."""
        with installation.heard(self._before):
            self._ask()
        if self._second is None:
            return False
        self._second.join(PATIENCE_SECONDS)
        return True

    def _before(self, _statement: str) -> None:
        if self._second is not None:
            return
        self._second = threading.Thread(target=self._ask, daemon=True)
        self._second.start()
        self._second.join(PATIENCE_SECONDS)
        if not self._second.is_alive():
            self._second = None
