"""The read model: declared once, it lists, counts, searches and shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import Session

from helpdesk_core.errors import NotFound
from helpdesk_core.permissions import Visibility, everyone_in_the_organization
from helpdesk_core.queries.criteria import Attribute, Order, Totals
from helpdesk_core.queries.fields import Batch, Environment, Field, Plan, Reader, Viewer, bind_schema
from helpdesk_core.queries.filters import Filter, FullText, WordsIn
from helpdesk_core.queries.finding import Finder, identity
from helpdesk_core.schemas import Dialect, Schema
from helpdesk_core.statements import Prepared, among_keys, key_parameters, rows_of_each
from helpdesk_core.tenancy import TenantScoped

ShownT = TypeVar("ShownT", bound=Schema)

ANY_NUMBER = 0
"""Where one statement serves any number of keys."""


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


class ReadModel(Finder, Generic[ShownT]):
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
        super().__init__(
            entity,
            filters=filters or {},
            orders=_orders(entity, ordering),
            default_order=default_order,
            tie=tie or (entity.id,),
            search=search,
            visible=visible,
            where=where,
            totals=totals,
        )
        self.schemas = dict(schema) if isinstance(schema, Mapping) else dict.fromkeys(Dialect, schema)
        self.optional = optional
        self._fields = _by_dialect(fields or {})
        self._loads: dict[Any, _Load] = {}

    def load(self, session: Session, viewer: Viewer, keys: Sequence[int]) -> list[dict[str, Any]]:
        """Return the objects with these keys as `viewer` is shown them, in this order."""
        found = self.load_by_key(session, viewer, keys)
        return [found[key] for key in keys if key in found]

    def load_by_key(self, session: Session, viewer: Viewer, keys: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return the objects with these keys as `viewer` is shown them, by key, as far as there are any."""
        if not keys:
            return {}
        load, rows, env, _ = self._rows(session, viewer, keys)
        return {row[0]: {name: read(row, env) for name, read in load.readers} for row in rows}

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
        if kind == "sqlite":
            keys = _pad(keys)
        size = len(keys) if kind == "sqlite" else ANY_NUMBER
        statement = load.prepared.get(size)
        if statement is None:
            wanted = among_keys(self.key, kind, size)
            statement = load.prepared[size] = Prepared(load.statement.where(wanted))
        parameters = {**identity(viewer), **key_parameters(keys, kind)}
        asked = [statement, *(batch.prepared(size) for batch in load.batches)]
        rows, *fetched = rows_of_each(session, [(each, parameters) for each in asked])
        env = Environment(viewer, [])
        for batch, children in zip(load.batches, fetched, strict=True):
            env.collections.append(batch.group(children, env))
        return load, rows, env, fetched

    def _load(self, kind: str, viewer: Viewer) -> _Load:
        declared = self._fields[viewer.dialect]
        variants = tuple(field.variant(viewer) for field in declared.values() if isinstance(field, Field))
        shape = ("load", kind, viewer.dialect, variants, viewer.include)
        found = self._loads.get(shape)
        if found is None:
            found = self._loads[shape] = self._build_load(kind, viewer)
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


def _orders(entity: Any, ordering: Any) -> dict[str, Order]:
    named = ordering if isinstance(ordering, Mapping) else {name: getattr(entity, name) for name in ordering}
    return {name: order if isinstance(order, Order) else Order(order, order) for name, order in named.items()}


def _by_dialect(fields: Any) -> dict[Dialect, Mapping[str, Any]]:
    if fields and all(isinstance(key, Dialect) for key in fields):
        return {dialect: fields.get(dialect, {}) for dialect in Dialect}
    return dict.fromkeys(Dialect, fields)


def _pad(keys: Sequence[int]) -> Sequence[int]:
    """Repeat the last key up to a round number, so that few statements serve every page size."""
    for size in (1, 20, 50, 100):
        if len(keys) <= size:
            return [*keys, *([keys[-1]] * (size - len(keys)))]
    return keys
