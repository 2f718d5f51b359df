"""The transactions of one job."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy.orm import Session

from helpdesk_core.database import Database, commit
from helpdesk_core.events import Bus, Happened, attribute_session
from helpdesk_core.jobs.claims import Claimed
from helpdesk_core.tenancy import set_organization, set_unscoped


class Work:
    """The transaction of one job, opened when it is first used."""

    def __init__(self, database: Database, bus: Bus, job: Claimed, cause: Happened | None) -> None:
        """Prepare; nothing is opened.

        Args:
            database: where.
            bus: what publishing needs.
            job: whose organisation it is for.
            cause: the event that is given as the cause of what is published.
        """
        self._database = database
        self._bus = bus
        self._job = job
        self._cause = cause
        self._stack = ExitStack()
        self._session: Session | None = None

    def open(self) -> Session:
        """Return the session that writes, opened the first time."""
        if self._session is None:
            self._session = self._stack.enter_context(self._database.session(writes=True))
            self._prepare(self._session)
        return self._session

    def _prepare(self, session: Session) -> None:
        if self._job.organization_id is None:
            set_unscoped(session)
        else:
            set_organization(session, self._job.organization_id)
        attribute_session(session, self._bus, None, cause=self._cause)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that only reads."""
        with self._database.session(writes=False) as session:
            self._prepare(session)
            yield session

    @contextmanager
    def apart(self) -> Iterator[Session]:
        """Open a session that writes, committed at the end of the block."""
        with self._database.session(writes=True) as session:
            self._prepare(session)
            yield session
            commit(session)

    def commit(self) -> None:
        """Commit what was written, if anything was; the next use opens another transaction."""
        if self._session is not None:
            commit(self._session)
            self.close()

    def close(self) -> None:
        """Give up what was not committed."""
        self._stack.close()
        self._session = None
