"""Finding the rows of a list: the statement for a set of filters is built once and reused with bound parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select, union
from sqlalchemy.orm import Session

from helpdesk_core.errors import Invalid, NotFound
from helpdesk_core.permissions import Visibility
from helpdesk_core.queries.criteria import Attribute, Criteria, Found, Order, Ordering, Totals
from helpdesk_core.queries.fields import Viewer
from helpdesk_core.queries.filters import Equals, Filter, FullText, Through, WordsIn
from helpdesk_core.queries.hits import Hits, hidden_by
from helpdesk_core.schemas import nearest
from helpdesk_core.search import COUNTED_HITS, relevance
from helpdesk_core.statements import Among, Prepared
from helpdesk_core.tenancy import TenantScoped

MOST_ARMS = 8
"""A filter with more values than this is not split into one ordered scan per value."""
RELEVANCE = "relevance"
"""The name by which hits of a full-text search are sorted by how well they match."""
KEPT_SHAPES = 2_000
"""Statements kept per read model; beyond, the oldest are compiled again when needed."""


class Finder:
    """What can be found of one entity: by which filters, in which orders, by whom."""

    def __init__(
        self,
        entity: Any,
        *,
        filters: Mapping[str, Filter],
        orders: Mapping[str, Order],
        default_order: str,
        tie: Sequence[Attribute],
        search: WordsIn | FullText | None,
        visible: Visibility,
        where: ColumnElement[bool] | None,
        totals: Totals | None,
    ) -> None:
        """Keep what `ReadModel` was declared with."""
        self.entity = entity
        self.key: Attribute = entity.id
        self.filters = dict(filters)
        self.orders = dict(orders)
        self.default_order = default_order
        self.search = search
        self.visible = visible
        self._tie = tuple(tie)
        self._where = where
        self._totals = totals
        self._shapes: dict[Any, Prepared] = {}
        self._among: dict[str, Among] = {}

    def parse_ordering(self, ordering: str | None) -> Ordering:
        """Return `ordering` as pairs; `Invalid` names what can be sorted by when a field is unknown."""
        if not ordering:
            return ()
        pairs = tuple((name.strip().lstrip("-"), name.strip().startswith("-")) for name in ordering.split(","))
        known = [*self.orders, RELEVANCE] if isinstance(self.search, FullText) else list(self.orders)
        for name, _ in pairs:
            if name not in known:
                near = nearest(name, known)
                hint = f" Did you mean {near}?" if near else ""
                raise Invalid.field("ordering", f"Unknown field {name!r}.{hint} Known: {', '.join(known)}.")
        if len(dict(pairs)) < len(pairs):
            raise Invalid.field("ordering", "A field is named twice.")
        return pairs

    def find(self, session: Session, viewer: Viewer, criteria: Criteria) -> Found:
        """Return the keys of one page and the total."""
        if isinstance(self.search, FullText) and criteria.search is not None:
            return self._find_hits(session, viewer, criteria, self.search)
        parameters = self._parameters(viewer, criteria)
        shape = self._shape(viewer, criteria, parameters)
        statement = self._cached(("page", *shape), lambda: self._page_with_total(viewer, criteria, parameters))
        place = {"limit": criteria.limit, "offset": criteria.offset, "reach": criteria.limit + criteria.offset}
        rows = statement.rows(session, {**parameters, **place})
        keys = [row[0] for row in rows]
        if criteria.offset == 0 and len(keys) < criteria.limit:
            return Found(keys, len(keys))
        if rows and len(rows[0]) > 1:
            return Found(keys, int(rows[0][1]))
        return Found(keys, self._count(session, viewer, criteria, parameters, shape))

    def find_one(self, session: Session, viewer: Viewer, column: Attribute, value: Any) -> int:
        """Return the key of the row that `viewer` may see with `column` = `value`; else raise `NotFound`."""
        variant = self.visible.variant(viewer.actor)

        def build() -> Any:
            wanted = bindparam("wanted", type_=column.type)
            return select(self.key).where(*self._scope(variant), column == wanted)

        statement = self._cached(("one", column.key, variant), build)
        rows = statement.rows(session, {**identity(viewer), "wanted": value})
        if not rows:
            raise NotFound
        return int(rows[0][0])

    def among(self, session: Session, viewer: Viewer, keys: Sequence[int]) -> list[int]:
        """Return those of `keys` that `viewer` may see, in their order."""
        variant = self.visible.variant(viewer.actor)
        found = self._among.get(variant)
        if found is None:
            found = self._among[variant] = Among(select(self.key).where(*self._scope(variant)), self.key)
        seen = {row[0] for row in found.rows(session, keys, identity(viewer))}
        return [key for key in keys if key in seen]

    def identified_by(self, column: Attribute) -> Any:
        """Return the SELECT of keys and `column` of all rows there are, whoever may see them."""
        statement = select(self.key, column)
        if issubclass(self.entity, TenantScoped):
            statement = statement.where(self.entity.organization_id == bindparam("organization_id"))
        return statement

    def _cached(self, shape: Any, build: Any, *, planned_each_time: bool = False) -> Prepared:
        found = self._shapes.get(shape)
        if found is None:
            if len(self._shapes) >= KEPT_SHAPES:
                self._shapes.pop(next(iter(self._shapes)))
            found = self._shapes[shape] = Prepared(build(), planned_each_time=planned_each_time)
        return found

    def _shape(self, viewer: Viewer, criteria: Criteria, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        bound = tuple(name for name in parameters if name not in {"organization_id", "actor_id", "match"})
        return (self.visible.variant(viewer.actor), bound, criteria.ordering)

    def _parameters(self, viewer: Viewer, criteria: Criteria) -> dict[str, Any]:
        parameters = identity(viewer)
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

    def _page_with_total(self, viewer: Viewer, criteria: Criteria, parameters: Mapping[str, Any]) -> Any:
        """Return the page, with the total beside each key where counters know it: that saves a statement."""
        page = self._page(viewer, criteria, parameters)
        totals = self._counted(viewer, criteria)
        if totals is None:
            return page
        return page.add_columns(_sum_of(totals, criteria, parameters).correlate(None).scalar_subquery())

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
            found = self.filters[name]
            if isinstance(found, Through) and found.order and _arity(name, parameters) <= MOST_ARMS:
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
        by_columns = [each for each in ordering if each[0] != RELEVANCE]  # which only hits of a search have
        for name, descending in by_columns or self.parse_ordering(self.default_order):
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
        """Find hits of a full-text search.

        PostgreSQL plans each: a frequent word wants another plan than a rare one, and one plan for all took 4.5 seconds
        instead of 0.2 to count those of a frequent word among a million tickets.
        """
        kind = session.get_bind().dialect.name
        fields = full.fields(viewer)
        match = full.index.expression(kind, criteria.search or "", fields, viewer.actor.organization_id)
        if match is None:
            return Found([], 0)
        parameters = {**self._parameters(viewer, criteria), "match": match}
        shape = (kind, *self._shape(viewer, criteria, parameters))
        conditions = self._criteria(viewer, criteria, parameters)
        hits = Hits(full.index, self.entity, kind, conditions, self._hidden(viewer, criteria))

        def cached(name: str, shape: Any, build: Any) -> Prepared:
            return self._cached((name, *shape), build, planned_each_time=True)

        count = cached("hits", shape[:3], hits.counted).rows(session, parameters)[0][0]
        if criteria.ordering and criteria.ordering[0][0] == RELEVANCE:
            ranked = cached("ranked", shape, hits.ranked).rows(session, parameters)
            best = relevance([(row[0], row[1], row[2]) for row in ranked])
            keys: Sequence[int] = best[criteria.offset : criteria.offset + criteria.limit]
        else:
            order = self._order(criteria.ordering) if criteria.ordering else None
            place = {"limit": criteria.limit, "offset": criteria.offset}
            page = cached("searched", shape, lambda: _slice(hits.ordered(order) if order else hits.newest()))
            keys = [row[0] for row in page.rows(session, {**parameters, **place})]
        return Found(keys, min(count, COUNTED_HITS), capped=count > COUNTED_HITS)

    def _hidden(self, viewer: Viewer, criteria: Criteria) -> ColumnElement[bool] | None:
        """Return what rows `viewer` does not see of a search by words alone, if that is one simple condition."""
        everyones = issubclass(self.entity, TenantScoped) and self.visible.variant(viewer.actor) == "all"
        return hidden_by(self._where) if everyones and not criteria.values else None


def identity(viewer: Viewer) -> dict[str, Any]:
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
