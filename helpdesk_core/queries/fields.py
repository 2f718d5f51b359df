"""What a read model shows: each kind of field adds columns to a statement and reads them back.

Most fields need no declaration: a schema's field is the entity's column of that name, and a schema inside a
schema is the entity's relationship of that name, joined.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute, RelationshipProperty, aliased

from helpdesk_core.permissions import Actor, Visibility, everyone_in_the_organization
from helpdesk_core.schemas import Dialect, Schema
from helpdesk_core.statements import Prepared, among_keys, reader_for

Row = tuple[Any, ...]
Attribute = InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom something is read, and how it is to be shown.

    Attributes:
        actor: whose rights apply.
        dialect: whose words the answer uses.
        now: the present instant, for fields that are computed from it.
        include: names asked for by `?include=` beyond the documented shape.
    """

    actor: Actor
    dialect: Dialect
    now: datetime
    include: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Environment:
    """What reading one page needs beside a row: the viewer, and the collections fetched for all rows."""

    viewer: Viewer
    collections: list[Mapping[Any, list[Any]]]


Reader = Callable[[Row, Environment], Any]


@dataclass
class Plan:
    """A load statement in the making, for one kind of database and one viewer."""

    kind: str
    viewer: Viewer
    entity: Any
    key: Attribute
    columns: list[Any] = field(default_factory=list)
    joins: list[tuple[Any, Any]] = field(default_factory=list)
    batches: list["Batch"] = field(default_factory=list)
    volatile: set[int] = field(default_factory=set)

    def add(self, expression: Any) -> int:
        """Select `expression` and return its place in the row."""
        self.columns.append(expression)
        return len(self.columns) - 1


class Field:
    """One name of the answer."""

    def variant(self, viewer: Viewer) -> str:
        """Name how the field is read for `viewer`; a statement is built for each combination of names."""
        return ""

    def bind(self, plan: Plan) -> Reader:
        """Add to `plan` what the field needs and return what reads it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Column(Field):
    """A column, or any expression over the entity's columns.

    Attributes:
        source: what is selected.
        shown: the words shown for stored words, where they differ.
        volatile: changes without anybody's act, and is therefore left out of the tag (`ETag`).
    """

    source: Any
    shown: Mapping[Any, Any] | None = None
    volatile: bool = False

    def bind(self, plan: Plan) -> Reader:
        """Select the column; convert what the driver returns only where it differs from what is shown."""
        index = plan.add(self.source)
        if self.volatile:
            plan.volatile.add(index)
        convert = _chain(reader_for(self.source.type, plan.kind), self.shown)
        if convert is None:
            return lambda row, _: row[index]
        return lambda row, _: None if row[index] is None else convert(row[index])


def _chain(read: Callable[[Any], Any] | None, shown: Mapping[Any, Any] | None) -> Callable[[Any], Any] | None:
    if shown is None:
        return read
    if read is None:
        return shown.__getitem__
    return lambda value: shown[read(value)]


@dataclass(frozen=True, init=False)
class Computed(Field):
    """A value computed from columns: `Computed(function, Ticket.created_at)` calls `function(viewer, value)`."""

    function: Callable[..., Any]
    uses: tuple[Any, ...]
    volatile: bool

    def __init__(self, function: Callable[..., Any], *uses: Any, volatile: bool = False) -> None:
        """Say what computes the value, from which columns, and whether these are `volatile` as with `Column`."""
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "uses", uses)
        object.__setattr__(self, "volatile", volatile)

    def bind(self, plan: Plan) -> Reader:
        """Select what is used and call the function with what was read."""
        readers = [Column(use, volatile=self.volatile).bind(plan) for use in self.uses]
        function = self.function
        return lambda row, env: function(env.viewer, *(read(row, env) for read in readers))


@dataclass(frozen=True)
class Count(Field):
    """A column that depends on what the viewer may see: `everything` with full sight, else `visible`."""

    visibility: Visibility
    everything: Any
    visible: Any

    def variant(self, viewer: Viewer) -> str:
        """Follow the visibility."""
        return self.visibility.variant(viewer.actor)

    def bind(self, plan: Plan) -> Reader:
        """Select the column for this viewer."""
        source = self.everything if self.variant(plan.viewer) == "all" else self.visible
        return Column(source).bind(plan)


@dataclass(frozen=True)
class Varying(Field):
    """An expression that depends on what the viewer may see, where `Count` with its two columns is not enough.

    Attributes:
        visibility: says which variants there are.
        source: returns what is selected for a variant.
        volatile: changes without anybody's act, as with `Column`.
    """

    visibility: Visibility
    source: Callable[[str], Any]
    volatile: bool = False

    def variant(self, viewer: Viewer) -> str:
        """Follow the visibility."""
        return self.visibility.variant(viewer.actor)

    def bind(self, plan: Plan) -> Reader:
        """Select the expression for this viewer."""
        return Column(self.source(self.variant(plan.viewer)), volatile=self.volatile).bind(plan)


@dataclass(frozen=True)
class One(Field):
    """An object that the entity refers to, joined; null when the reference is."""

    relationship: Attribute
    schema: type[Schema]
    fields: Mapping[str, Any] = field(default_factory=dict)

    def bind(self, plan: Plan) -> Reader:
        """Join the related table and select the nested schema's columns from it."""
        target = aliased(self.relationship.property.mapper.class_)
        plan.joins.append((target, self.relationship.of_type(target)))
        key = plan.add(target.id)
        names = [
            (name, Column(getattr(target, self.fields.get(name, name))).bind(plan)) for name in self.schema.model_fields
        ]

        def read(row: Row, env: Environment) -> Any:
            return None if row[key] is None else {name: part(row, env) for name, part in names}

        return read


@dataclass(frozen=True)
class Many(Field):
    """Rows that refer to the entity: one more statement for a whole page, whatever its size.

    Attributes:
        parent: the column that refers to the entity's key, `Comment.ticket_id`.
        shows: a schema for objects, or one column for plain values.
        order: how the rows of one entity are sorted.
        newest: keep only so many rows with the highest key, then sort as `order` says.
        where: rows that count at all.
        visibility: which of them the viewer may see.
        fields: fields of `shows` that are not simply columns of the same name.
        join: to-one relationships on the way to a column shown, `(TicketTag.tag,)`.
    """

    parent: Attribute
    shows: Any
    order: Sequence[Any]
    newest: int | None = None
    where: ColumnElement[bool] | None = None
    visibility: Visibility = everyone_in_the_organization
    fields: Mapping[str, Any] = field(default_factory=dict)
    join: Sequence[Attribute] = ()

    def variant(self, viewer: Viewer) -> str:
        """Follow the visibility."""
        return self.visibility.variant(viewer.actor)

    def bind(self, plan: Plan) -> Reader:
        """Plan the statement; its rows are grouped by parent before any row of the page is read."""
        key = plan.add(plan.key)
        place = len(plan.batches)
        plan.batches.append(self._batch(plan))
        return lambda row, env: env.collections[place].get(row[key], [])

    def _batch(self, plan: Plan) -> "Batch":
        entity = self.parent.class_
        inner = Plan(plan.kind, plan.viewer, entity, entity.id if hasattr(entity, "id") else self.parent)
        inner.add(self.parent)
        if isinstance(self.shows, type) and issubclass(self.shows, Schema):
            reader = read_object(bind_schema(inner, self.shows, self.fields))
        else:
            reader = Column(self.shows).bind(inner)
        statement: Select[Any] = select(*inner.columns).select_from(entity)
        for relationship in self.join:
            statement = statement.join(relationship)
        for target, condition in inner.joins:
            statement = statement.outerjoin(target, condition)
        statement = statement.where(entity.organization_id == bindparam("organization_id"))
        if self.where is not None:
            statement = statement.where(self.where)
        allowed = self.visibility.criterion(self.variant(plan.viewer))
        if allowed is not None:
            statement = statement.where(allowed)
        return Batch(self, plan.kind, statement, reader)


class Batch:
    """The statement that fetches one collection for a page."""

    def __init__(self, many: Many, kind: str, statement: Select[Any], reader: Reader) -> None:
        """Keep the parts; on SQLite a statement is compiled for each number of parents."""
        self._many = many
        self._kind = kind
        self._statement = statement
        self._reader = reader
        self._prepared: dict[int, Prepared] = {}

    def prepared(self, parents: int) -> Prepared:
        """Return the statement for so many parents."""
        found = self._prepared.get(parents)
        if found is None:
            found = self._prepared[parents] = Prepared(self._limited(parents))
        return found

    def _limited(self, parents: int) -> Any:
        many = self._many
        wanted = among_keys(many.parent, self._kind, parents)
        statement = self._statement.where(wanted)
        if many.newest is None:
            return statement.order_by(*many.order)
        key = many.parent.class_.id
        rank = func.row_number().over(partition_by=many.parent, order_by=key.desc())
        newest = self._statement.with_only_columns(key.label("key"), rank.label("place")).where(wanted).subquery()
        return (
            self._statement.join(newest, newest.c.key == key).where(newest.c.place <= many.newest).order_by(*many.order)
        )

    def group(self, rows: Sequence[Row], env: Environment) -> Mapping[Any, list[Any]]:
        """Return what is shown, by parent."""
        groups: dict[Any, list[Any]] = {}
        for row in rows:
            groups.setdefault(row[0], []).append(self._reader(row, env))
        return groups


def read_object(readers: Sequence[tuple[str, Reader]]) -> Reader:
    """Return the reader of an object with these fields."""
    return lambda row, env: {name: read(row, env) for name, read in readers}


def bind_schema(
    plan: Plan, schema: type[Schema], declared: Mapping[str, Any], names: Collection[str] | None = None
) -> list[tuple[str, Reader]]:
    """Bind the fields of `schema`, all or those in `names`, as declared or else by their name."""
    readers = []
    for name, info in schema.model_fields.items():
        if names is not None and name not in names:
            continue
        bound = field_for(plan.entity, name, info.annotation, declared)
        readers.append((name, bound.bind(plan)))
    return readers


def field_for(entity: Any, name: str, annotation: Any, declared: Mapping[str, Any]) -> Field:
    """Return the field called `name`: declared, a column of that name, or a relationship to a schema."""
    source = declared.get(name)
    if isinstance(source, Field):
        return source
    attribute = source if source is not None else getattr(entity, name, None)
    if attribute is None:
        raise TypeError(f"{entity.__name__} has no {name}; declare it in fields=")
    if isinstance(getattr(attribute, "property", None), RelationshipProperty):
        return One(attribute, _schema_in(annotation))
    return Column(attribute)


def _schema_in(annotation: Any) -> type[Schema]:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Schema):
            return candidate
    raise TypeError(f"{annotation} holds no schema to show a related object with")
