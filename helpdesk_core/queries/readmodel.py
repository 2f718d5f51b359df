"""The read model: declared once, it lists, counts, searches and shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, bindparam, func, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session

from helpdesk_core.errors import Invalid, NotFound
from helpdesk_core.permissions import Visibility, everyone_in_the_organization
from helpdesk_core.queries.fields import Batch, Environment, Field, Plan, Reader, Viewer, bind_schema
from helpdesk_core.queries.filters import Equals, Filter, FullText, Through, WordsIn
from helpdesk_core.schemas import Dialect, Schema, nearest
from helpdesk_core.search import COUNTED_HITS, RANKED_HITS, relevance
from helpdesk_core.statements import Prepared
from helpdesk_core.tenancy import TenantScoped

Attribute = InstrumentedAttribute[Any]
Ordering = tuple[tuple[str, bool], ...]
ShownT = TypeVar("ShownT", bound=Schema)

MOST_ARMS = 8
"""A filter with more values than this is not split into one ordered scan per value."""
KEPT_SHAPES = 2_000
"""Statements kept per read model; beyond, the oldest are compiled again when needed."""


@dataclass(frozen=True)
class Order:
    """A field to sort by, where the two directions need different columns (nulls last both ways)."""

    ascending: Attribute
    descending: Attribute


@dataclass(frozen=True)
class Totals:
    """Maintained counters that answer `count` without counting.

    Attributes:
        total: the counter's value column.
        columns: the counter's column for each filter that it covers.
    """

    total: Attribute
    columns: Mapping[str, Attribute]


@dataclass(frozen=True, slots=True)
class Found:
    """The keys of one page, and how many rows there are in all.

    Attributes:
        keys: in order.
        count: exact; for searches exact up to `COUNTED_HITS`.
        capped: whether there are more hits than were counted.
    """

    keys: Sequence[int]
    count: int
    capped: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """One object as shown, with the tag of its stored state."""

    data: dict[str, Any]
    etag: str


@dataclass(frozen=True, slots=True)
class _Load:
    """A compiled shape of the load statement, reused for every page."""

    statement: Select[Any]
    readers: list[tuple[str, Reader]]
    batches: list[Batch]
    prepared: dict[int, Prepared]
    volatile: frozenset[int]


@dataclass(frozen=True, slots=True)
class Criteria:
    """What to find: values by filter name, search words, sorting and place.

    Attributes:
        values: filter values by name; names not given are absent.
        search: the text to search for.
        ordering: `(name, descending)` in order; empty means the model's own.
        limit: rows wanted.
        offset: rows to skip.
    """

    values: Mapping[str, Any]
    search: str | None = None
    ordering: Ordering = ()
    limit: int = 20
    offset: int = 0


class ReadModel(Generic[ShownT]):
    """What can be read of one entity, and how it is shown."""

    def __init__(
        self,
        entity: Any,
        *,
        schema: type[ShownT] | Mapping[Dialect, type[ShownT]],
        fields: Mapping[str, Any] | Mapping[Dialect, Mapping[str, Any]] | None = None,
        optional: type[Schema] | None = None,
        filters: Mapping[str, Filter] | None = None,
        ordering: Sequence[str] | Mapping[str, Attribute | Order] = (),
        default_order: str,
        tie: Sequence[Attribute] | None = None,
        search: WordsIn | FullText | None = None,
        visible: Visibility = everyone_in_the_organization,
        where: ColumnElement[bool] | None = None,
        totals: Totals | None = None,
    ) -> None:
        """Declare a read model.

        Args:
            entity: the mapped class; its integer key is called `id`.
            schema: what is shown; one for all, or one for each dialect.
            fields: how fields are read that are not simply the entity's attribute of that name.
            optional: fields that callers may add with `?include=`.
            filters: query parameters, by name.
            ordering: names that `?ordering=` takes; columns of the entity, or as mapped here.
            default_order: one of them, with a leading `-` to descend.
            tie: columns that make every order total; they follow the direction of the last field.
            search: how `?search=` finds rows.
            visible: which rows an actor may see.
            where: which rows exist at all, for instance those that are not deleted.
            totals: counters that answer `count` for some filters.
        """
        self.entity = entity
        self.key: Attribute = entity.id
        self.schemas = dict(schema) if isinstance(schema, Mapping) else dict.fromkeys(Dialect, schema)
        self.optional = optional
        self.filters = dict(filters or {})
        self.orders = _orders(entity, ordering)
        self.default_order = default_order
        self.search = search
        self.visible = visible
        self._fields = _by_dialect(fields or {})
        self._tie = tuple(tie or (entity.id,))
        self._where = where
        self._totals = totals
        self._shapes: dict[Any, Any] = {}

    def parse_ordering(self, ordering: str | None) -> Ordering:
        """Return `ordering` as pairs; `Invalid` names what can be sorted by when a field is unknown."""
        if not ordering:
            return ()
        pairs = tuple((name.strip().lstrip("-"), name.strip().startswith("-")) for name in ordering.split(","))
        known = [*self.orders, "relevance"] if isinstance(self.search, FullText) else list(self.orders)
        for name, _ in pairs:
            if name not in known:
                near = nearest(name, known)
                hint = f" Did you mean {near}?" if near else ""
                raise Invalid.field("ordering", f"Unknown field {name!r}.{hint} Known: {', '.join(known)}.")
        return pairs

    def find(self, session: Session, viewer: Viewer, criteria: Criteria) -> Found:
        """Return the keys of one page and the total."""
        if isinstance(self.search, FullText) and criteria.search is not None:
            return self._find_hits(session, viewer, criteria, self.search)
        parameters = self._parameters(viewer, criteria)
        shape = self._shape(viewer, criteria, parameters)
        statement = self._cached(("page", *shape), lambda: self._page(viewer, criteria, parameters))
        place = {"limit": criteria.limit, "offset": criteria.offset, "reach": criteria.limit + criteria.offset}
        keys = [row[0] for row in statement.rows(session, {**parameters, **place})]
        if criteria.offset == 0 and len(keys) < criteria.limit:
            return Found(keys, len(keys))
        return Found(keys, self._count(session, viewer, criteria, parameters, shape))

    def find_one(self, session: Session, viewer: Viewer, column: Attribute, value: Any) -> int:
        """Return the key of the row that `viewer` may see with `column` = `value`; else raise `NotFound`."""
        variant = self.visible.variant(viewer.actor)

        def build() -> Any:
            wanted = bindparam("wanted", type_=column.type)
            return select(self.key).where(*self._scope(variant), column == wanted)

        statement = self._cached(("one", column.key, variant), build)
        rows = statement.rows(session, {**_identity(viewer), "wanted": value})
        if not rows:
            raise NotFound
        return int(rows[0][0])

    def load(self, session: Session, viewer: Viewer, keys: Sequence[int]) -> list[dict[str, Any]]:
        """Return the objects with these keys as `viewer` is shown them, in this order."""
        if not keys:
            return []
        load, rows, env, _ = self._rows(session, viewer, keys)
        found = {row[0]: {name: read(row, env) for name, read in load.readers} for row in rows}
        return [found[key] for key in keys if key in found]

    def load_one(self, session: Session, viewer: Viewer, key: int) -> Loaded:
        """Return one object and its tag."""
        load, rows, env, collections = self._rows(session, viewer, [key])
        if not rows:
            raise NotFound
        kept = [value for index, value in enumerate(rows[0]) if index not in load.volatile]
        stored = repr((viewer.dialect, sorted(viewer.include), kept, collections)).encode()
        data = {name: read(rows[0], env) for name, read in load.readers}
        return Loaded(data, f'"{blake2b(stored, digest_size=12).hexdigest()}"')

    def _rows(
        self, session: Session, viewer: Viewer, keys: Sequence[int]
    ) -> tuple[_Load, list[tuple[Any, ...]], Environment, list[Any]]:
        kind = session.get_bind().dialect.name
        load = self._load(kind, viewer)
        padded = _pad(keys)
        size = len(padded)
        statement = load.prepared.get(size)
        if statement is None:
            wanted = self.key.in_([bindparam(f"key_{i}") for i in range(size)])
            statement = load.prepared[size] = Prepared(load.statement.where(wanted))
        parameters = {**_identity(viewer), **{f"key_{i}": key for i, key in enumerate(padded)}}
        rows = statement.rows(session, parameters)
        fetched = [batch.prepared(size).rows(session, parameters) for batch in load.batches]
        env = Environment(viewer, [])
        for batch, children in zip(load.batches, fetched, strict=True):
            env.collections.append(batch.group(children, env))
        return load, rows, env, fetched

    def _load(self, kind: str, viewer: Viewer) -> _Load:
        declared = self._fields[viewer.dialect]
        variants = tuple(field.variant(viewer) for field in declared.values() if isinstance(field, Field))
        shape = ("load", kind, viewer.dialect, variants, viewer.include)
        found = self._shapes.get(shape)
        if found is None:
            found = self._shapes[shape] = self._build_load(kind, viewer)
        return found

    def _build_load(self, kind: str, viewer: Viewer) -> _Load:
        plan = Plan(kind, viewer, self.entity, self.key)
        plan.add(self.key)
        declared = self._fields[viewer.dialect]
        readers = bind_schema(plan, self.schemas[viewer.dialect], declared)
        if self.optional and viewer.include:
            shown = {name for name, _ in readers}
            readers += bind_schema(plan, self.optional, declared, viewer.include - shown)
        statement = select(*plan.columns).select_from(self.entity)
        for target, condition in plan.joins:
            statement = statement.outerjoin(target, condition)
        if issubclass(self.entity, TenantScoped):
            statement = statement.where(self.entity.organization_id == bindparam("organization_id"))
        return _Load(statement, readers, plan.batches, {}, frozenset(plan.volatile))

    def _cached(self, shape: Any, build: Any) -> Prepared:
        found = self._shapes.get(shape)
        if found is None:
            if len(self._shapes) >= KEPT_SHAPES:
                self._shapes.pop(next(iter(self._shapes)))
            found = self._shapes[shape] = Prepared(build())
        return found

    def _shape(self, viewer: Viewer, criteria: Criteria, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        bound = tuple(name for name in parameters if name not in {"organization_id", "actor_id", "match"})
        return (self.visible.variant(viewer.actor), bound, criteria.ordering)

    def _parameters(self, viewer: Viewer, criteria: Criteria) -> dict[str, Any]:
        parameters = _identity(viewer)
        for name, value in criteria.values.items():
            for index, part in enumerate(self.filters[name].values(value)):
                parameters[f"{name}_{index}"] = part
        if isinstance(self.search, WordsIn) and criteria.search:
            for index, part in enumerate(self.search.values(criteria.search)):
                parameters[f"search_{index}"] = part
        return parameters

    def _scope(self, variant: str | None) -> list[ColumnElement[bool]]:
        """Return what limits rows to those that exist, for a variant of the visibility or whoever sees them."""
        criteria = []
        if issubclass(self.entity, TenantScoped):
            criteria.append(self.entity.organization_id == bindparam("organization_id"))
        if self._where is not None:
            criteria.append(self._where)
        allowed = None if variant is None else self.visible.criterion(variant)
        return criteria if allowed is None else [*criteria, allowed]

    def _criteria(
        self, viewer: Viewer, criteria: Criteria, parameters: Mapping[str, Any], *, visible: bool = True
    ) -> list[ColumnElement[bool]]:
        conditions = self._scope(self.visible.variant(viewer.actor) if visible else None)
        for name in criteria.values:
            conditions.append(self.filters[name].criterion(name, _arity(name, parameters)))
        if isinstance(self.search, WordsIn) and criteria.search:
            conditions.append(self.search.criterion("search", _arity("search", parameters)))
        return conditions

    def _page(self, viewer: Viewer, criteria: Criteria, parameters: Mapping[str, Any]) -> Any:
        linked = self._link(criteria, parameters)
        if linked is not None:
            return self._page_through(viewer, criteria, parameters, linked)
        columns, directions = self._order_columns(criteria.ordering)
        arms, rest = self._arms(viewer, criteria, parameters)
        if not arms:
            return _slice(select(self.key).where(*rest).order_by(*_directed(columns, directions)))
        scans = [select(self.key.label("id")).where(*rest, condition) for condition in arms]
        return _merged(scans, columns, directions)

    def _page_through(self, viewer: Viewer, criteria: Criteria, parameters: Mapping[str, Any], name: str) -> Any:
        """Walk the link table's own index, which is sorted as the page is, once for each value."""
        through: Any = self.filters[name]
        rest = Criteria({k: v for k, v in criteria.values.items() if k != name}, criteria.search, criteria.ordering)
        walk = select(through.key.label("id")).join(self.entity, self.key == through.key)
        walk = walk.where(*self._criteria(viewer, rest, parameters))
        walks = [walk.where(arm) for arm in through.walks(name, _arity(name, parameters))]
        directions = [self._ordering(criteria)[0][1]] * len(through.order)
        if len(walks) == 1:
            return _slice(walks[0].order_by(*_directed(through.order, directions)))
        return _merged(walks, through.order, directions)

    def _link(self, criteria: Criteria, parameters: Mapping[str, Any]) -> str | None:
        """Return the filter by a link table that is sorted as the page is, if there is one."""
        if [name for name, _ in self._ordering(criteria)] != [self.default_order.lstrip("-")]:
            return None
        for name in criteria.values:
            if isinstance(self.filters[name], Through) and _arity(name, parameters) <= MOST_ARMS:
                return name
        return None

    def _ordering(self, criteria: Criteria) -> Ordering:
        return criteria.ordering or self.parse_ordering(self.default_order)

    def _arms(
        self, viewer: Viewer, criteria: Criteria, parameters: Mapping[str, Any]
    ) -> tuple[Sequence[ColumnElement[bool]], list[ColumnElement[bool]]]:
        """Return the alternatives of one condition, if any has some, and all other conditions."""
        arms = self.visible.arms(self.visible.variant(viewer.actor))
        if arms:
            return arms, self._criteria(viewer, criteria, parameters, visible=False)
        for name in criteria.values:
            arms = self.filters[name].arms(name, _arity(name, parameters))
            if 1 < len(arms) <= MOST_ARMS:
                values = {key: value for key, value in criteria.values.items() if key != name}
                return arms, self._criteria(viewer, Criteria(values, criteria.search), parameters)
        return (), self._criteria(viewer, criteria, parameters)

    def _order(self, ordering: Ordering) -> list[Any]:
        return _directed(*self._order_columns(ordering))

    def _order_columns(self, ordering: Ordering) -> tuple[list[Attribute], list[bool]]:
        columns: list[Attribute] = []
        directions: list[bool] = []
        for name, descending in ordering or self.parse_ordering(self.default_order):
            order = self.orders[name]
            columns.append(order.descending if descending else order.ascending)
            directions.append(descending)
        for column in self._tie:
            if all(column is not used for used in columns):
                columns.append(column)
                directions.append(directions[-1])
        return columns, directions

    def _count(
        self,
        session: Session,
        viewer: Viewer,
        criteria: Criteria,
        parameters: Mapping[str, Any],
        shape: tuple[Any, ...],
    ) -> int:
        def build() -> Any:
            totals = self._counted(viewer, criteria)
            if totals is not None:
                return _sum_of(totals, criteria, parameters)
            return select(func.count()).select_from(self.entity).where(*self._criteria(viewer, criteria, parameters))

        statement = self._cached(("count", *shape[:2]), build)
        return int(statement.rows(session, parameters)[0][0])

    def _counted(self, viewer: Viewer, criteria: Criteria) -> Totals | None:
        """Return the maintained totals if they answer how many rows there are."""
        totals = self._totals
        if totals is None or criteria.search or self.visible.variant(viewer.actor) != "all":
            return None
        return totals if set(criteria.values) <= set(totals.columns) else None

    def _find_hits(self, session: Session, viewer: Viewer, criteria: Criteria, full: FullText) -> Found:
        kind = session.get_bind().dialect.name
        fields = full.fields(viewer)
        match = full.index.expression(kind, criteria.search or "", fields, viewer.actor.organization_id)
        if match is None:
            return Found([], 0)
        parameters = {**self._parameters(viewer, criteria), "match": match}
        place = {"limit": criteria.limit, "offset": criteria.offset}
        shape = (kind, *self._shape(viewer, criteria, parameters))
        conditions = self._criteria(viewer, criteria, parameters)

        def hits(*columns: Any) -> Any:
            return full.index.join(select(*columns), self.key, kind).where(*conditions)

        count = self._cached(
            ("hits", *shape[:3]),
            # In this order the index delivers; without it SQLite probes the index once for each row of the entity.
            lambda: select(func.count()).select_from(
                hits(self.key).order_by(full.index.newest_first(kind)).limit(COUNTED_HITS + 1).subquery()
            ),
        ).rows(session, parameters)[0][0]
        if criteria.ordering and criteria.ordering[0][0] == "relevance":
            ranked = self._cached(
                ("ranked", *shape),
                lambda: (
                    hits(self.key, *full.index.scores(kind)).order_by(full.index.newest_first(kind)).limit(RANKED_HITS)
                ),
            )
            best = relevance([(row[0], row[1], row[2]) for row in ranked.rows(session, parameters)])
            keys: Sequence[int] = best[criteria.offset : criteria.offset + criteria.limit]
        else:
            order = self._order(criteria.ordering) if criteria.ordering else [full.index.newest_first(kind)]
            page = self._cached(("searched", *shape), lambda: _slice(hits(self.key).order_by(*order)))
            keys = [row[0] for row in page.rows(session, {**parameters, **place})]
        return Found(keys, min(count, COUNTED_HITS), capped=count > COUNTED_HITS)


def _orders(entity: Any, ordering: Any) -> dict[str, Order]:
    named = ordering if isinstance(ordering, Mapping) else {name: getattr(entity, name) for name in ordering}
    return {name: order if isinstance(order, Order) else Order(order, order) for name, order in named.items()}


def _by_dialect(fields: Any) -> dict[Dialect, Mapping[str, Any]]:
    if fields and all(isinstance(key, Dialect) for key in fields):
        return {dialect: fields.get(dialect, {}) for dialect in Dialect}
    return dict.fromkeys(Dialect, fields)


def _identity(viewer: Viewer) -> dict[str, Any]:
    return {"organization_id": viewer.actor.organization_id, "actor_id": viewer.actor.user_id}


def _arity(name: str, parameters: Mapping[str, Any]) -> int:
    arity = 0
    while f"{name}_{arity}" in parameters:
        arity += 1
    return arity


def _directed(columns: Sequence[Any], directions: Sequence[bool]) -> list[Any]:
    return [column.desc() if down else column.asc() for column, down in zip(columns, directions, strict=True)]


def _merged(scans: Sequence[Select[Any]], columns: Sequence[Any], directions: Sequence[bool]) -> Any:
    """Scan once per alternative in index order and merge, instead of sorting the rows of all of them.

    A row that satisfies several alternatives comes from several scans and is shown once.
    """
    labelled = [column.label(f"by_{place}") for place, column in enumerate(columns)]
    ordered = [
        scan.add_columns(*labelled).order_by(*_directed(columns, directions)).limit(bindparam("reach"))
        for scan in scans
    ]
    merged = union(*(select(scan.subquery(f"arm_{place}")) for place, scan in enumerate(ordered))).subquery("merged")
    return _slice(select(merged.c.id).order_by(*_directed(list(merged.c)[1:], directions)))


def _sum_of(totals: Totals, criteria: Criteria, parameters: Mapping[str, Any]) -> Any:
    counter = totals.total.class_
    conditions = [counter.organization_id == bindparam("organization_id")]
    conditions += [Equals(totals.columns[name]).criterion(name, _arity(name, parameters)) for name in criteria.values]
    return select(func.coalesce(func.sum(totals.total), 0)).where(*conditions)


def _slice(statement: Any) -> Any:
    return statement.limit(bindparam("limit")).offset(bindparam("offset"))


def _pad(keys: Sequence[int]) -> Sequence[int]:
    """Repeat the last key up to a round number, so that few statements serve every page size."""
    for size in (1, 20, 50, 100):
        if len(keys) <= size:
            return [*keys, *([keys[-1]] * (size - len(keys)))]
    return keys
