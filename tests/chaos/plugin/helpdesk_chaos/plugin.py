"""Two handlers and a job that leave a row each time they have an effect."""

from typing import ClassVar

from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from helpdesk_core.api import (
    BigKey,
    Event,
    HandlerContext,
    JobContext,
    TenantScoped,
    enqueue,
    hookimpl,
    job,
    metadata,
    on,
)


class Base(DeclarativeBase):
    metadata = metadata


class Effect(Base, TenantScoped):
    """Something was done. Nothing here keeps it from being done twice."""

    __tablename__ = "chaos_effect"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[int]
    thing: Mapped[int]
    by: Mapped[str] = mapped_column(String(20))


class ThingHappened(Event):
    """Something happened to a thing."""

    type: ClassVar[str] = "chaos.happened"
    about: ClassVar[dict[str, str]] = {"thing": "thing_id"}

    thing_id: int
    number: int


@job(slow=True)
def follow_up(ctx: JobContext, thing: int, number: int) -> None:
    ctx.session.add(Effect(number=number, thing=thing, by="job"))


@on(ThingHappened)
def first(ctx: HandlerContext, event: ThingHappened) -> None:
    ctx.session.add(Effect(number=event.number, thing=event.thing_id, by="first"))


@on(ThingHappened)
def second(ctx: HandlerContext, event: ThingHappened) -> None:
    ctx.session.add(Effect(number=event.number, thing=event.thing_id, by="second"))
    if event.number % 10 == 0:
        enqueue(ctx.session, follow_up, thing=event.thing_id, number=event.number)


@hookimpl
def register_models() -> list[type[Base]]:
    return [Base]


@hookimpl
def register_events() -> list[type[Event]]:
    return [ThingHappened]


@hookimpl
def register_event_handlers() -> list[object]:
    return [first, second]


@hookimpl
def register_jobs() -> list[object]:
    return [follow_up]
