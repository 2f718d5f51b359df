"""What an endpoint works with."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from helpdesk_core.clock import Clock
from helpdesk_core.database import Database, commit
from helpdesk_core.errors import Invalid, NotFound, Unauthenticated
from helpdesk_core.events import Bus, attribute_session, origin_of
from helpdesk_core.files import FileStore
from helpdesk_core.limits.spending import Spending
from helpdesk_core.permissions import Actor, RolePermissions
from helpdesk_core.queries import Criteria, ReadModel, Viewer
from helpdesk_core.schemas import Dialect, Filters, Page, Schema, nearest
from helpdesk_core.settings import Settings
from helpdesk_core.tenancy import set_organization
from helpdesk_core.web.authentication import Principal
from helpdesk_core.web.requests import Incoming, query_values

T = TypeVar("T")
ShownT = TypeVar("ShownT", bound=Schema)

LARGEST_PAGE = 100


@dataclass(frozen=True)
class Services:
    """What the process offers to endpoints and authenticators; made once by the composition root.

    Attributes:
        settings: as read at start.
        clock: tells the time.
        database: for the few endpoints that manage their own transactions.
        files: stored uploads.
        roles: the permissions of each role.
        bus: what `publish` needs.
        extra: more objects, by type, from plugins (the service that issues tokens, for instance).
        upkeep: called every few seconds by one thread of the process, and once more when it stops.
    """

    settings: Settings
    clock: Clock
    database: Database
    files: FileStore
    roles: RolePermissions
    bus: Bus
    extra: Mapping[type, Any]
    upkeep: list[Callable[[], None]] = field(default_factory=list)

    def get(self, kind: type[T]) -> T:
        """Return the object of type `kind` that was registered at start."""
        return cast("T", self.extra[kind])


@dataclass(frozen=True, slots=True)
class Context:
    """One request, inside its unit of work.

    Attributes:
        session: of the caller's organisation; committed after the endpoint returns.
        incoming: the request itself, for the few endpoints that need more than its parameters.
        services: what the process offers.
        principal: the caller; nothing on public endpoints.
        dialect: the document whose words the answer uses.
        now: the present instant, UTC.
        include: names asked for by `?include=`.
        headers: more headers of the answer, to be added to.
        spending: what the request has taken from its limits; nothing when they are off.
    """

    session: Session
    incoming: Incoming
    services: Services
    principal: Principal | None
    dialect: Dialect
    now: datetime
    include: frozenset[str]
    headers: dict[str, str]
    spending: Spending | None = None

    @property
    def actor(self) -> Actor:
        """Return who acts."""
        if self.principal is None:
            raise Unauthenticated
        return self.principal.actor

    @property
    def viewer(self) -> Viewer:
        """Return for whom rows are read and how they are shown."""
        return Viewer(self.actor, self.dialect, self.now, self.include)

    def page(
        self, model: ReadModel[ShownT], query: Filters, *, written_in: Dialect | None = None, **values: Any
    ) -> Page[ShownT]:
        """Return one page of what the caller may see.

        Args:
            model: the read model.
            query: validated parameters; those that `model` filters by apply.
            written_in: the document that says what `search` looks into, where it is not the caller's.
            values: filter values that replace or add to those of `query`; `None` takes one away.
        """
        if query.search is not None and model.search is None:
            raise Invalid.field("search", "This list cannot be searched.")
        size = min(query.page_size, LARGEST_PAGE)
        asked = query.__dict__
        given = {name: asked[name] for name in model.filters if name in asked} | values
        criteria = Criteria(
            {name: value for name, value in given.items() if value is not None},
            query.search,
            model.parse_ordering(query.ordering),
            size,
            (query.page - 1) * size,
        )
        viewer = self.viewer
        asking = replace(viewer, dialect=written_in) if written_in else viewer
        found = model.find(self.session, asking, criteria)
        if query.page > 1 and criteria.offset >= found.count:
            raise NotFound("Invalid page.")
        if found.capped:
            self.headers["X-Count-Capped"] = str(found.count)
        return Page.model_construct(
            count=found.count,
            next=self._link(query.page + 1) if criteria.offset + size < found.count else None,
            previous=self._link(query.page - 1) if query.page > 1 else None,
            results=cast("list[ShownT]", model.load(self.session, viewer, found.keys)),
        )

    def one(self, model: ReadModel[ShownT], key: int) -> ShownT:
        """Return one object that the caller may see; foreign and unknown keys are the same 404.

        The result is encoded as it was read; no schema object is built.
        """
        viewer = self.viewer
        found = model.find_one(self.session, viewer, model.key, key)
        return cast("ShownT", model.load_one(self.session, viewer, found))

    @contextmanager
    def apart(self, organization_id: int | None = None) -> Iterator[Session]:
        """Open a writing transaction of its own, committed at the end of the block: for what others must see at once.

        For `prepare=` and for what only reads: where the session of the request writes, SQLite has no other writer.

        Args:
            organization_id: the organisation to work in; the caller's own if it is left out.
        """
        with self.services.database.session(writes=True) as session:
            set_organization(session, self.actor.organization_id if organization_id is None else organization_id)
            actor = self.principal.actor if self.principal else None
            attribute_session(session, self.services.bus, actor, origin_of(self.session))
            yield session
            commit(session)

    def _link(self, page: int) -> str:
        values = query_values(self.incoming.query)
        values.pop("page", None)
        if page > 1:
            values["page"] = str(page)
        query = f"?{urlencode(values)}" if values else ""
        return f"{self.incoming.base_url}/api/v1{self.incoming.path}{query}"


def read_include(asked: str, optional: type[Schema] | None) -> frozenset[str]:
    """Return the names of `?include=`, all of which must be optional fields of the answer."""
    known = list(optional.model_fields) if optional else []
    names = [name.strip() for name in asked.split(",")]
    for name in names:
        if name not in known:
            near = nearest(name, known)
            hint = f" Did you mean {near}?" if near else ""
            raise Invalid.field("include", f"Unknown name {name!r}.{hint} Known: {', '.join(known) or 'none'}.")
    if len(set(names)) < len(names):
        raise Invalid.field("include", "A name is given twice.")
    return frozenset(names)
