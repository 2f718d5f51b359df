"""A plugin that leaves something everywhere: tables, an index, events, jobs, notifications, settings, permissions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk_core.lineages import Lineage, lineages
from helpdesk_core.migrations import upgrade
from helpdesk_core.plugins import Plugin, PluginHost, load_plugins
from helpdesk_core.testing import Installation, running
from tests.packages import entry_point, findable, write_package

CODE = '''
from datetime import datetime
from typing import ClassVar

from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from helpdesk_core.api import (
    ROLES, BigKey, Context, Event, HandlerContext, JobContext, Message, NotificationKind, Permission, Router, Schema,
    SearchIndex, TenantScoped, UtcDateTime, enqueue, hookimpl, job, metadata, notify, on, publish, tenant_key,
)

USE = Permission("rota:use", "Use it", ROLES)
router = Router("rota", tag="Rota")
index = SearchIndex("rota_search", "name")
removed = []


class Base(DeclarativeBase):
    metadata = metadata


class Shift(Base, TenantScoped):
    __tablename__ = "rota_shift"
    __table_args__ = (tenant_key(),)
    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    name: Mapped[str] = mapped_column(String(50))


class ShiftPlanned(Event):
    """A shift was planned."""

    type: ClassVar[str] = "rota.planned"
    shift_id: int
    user_id: int


class Settings(Schema):
    days: int = 7


@on(ShiftPlanned)
def tell(ctx: HandlerContext, event: ShiftPlanned) -> None:
    notify(ctx.session, [event.user_id], "rota_planned", key=f"event {ctx.event_id}", values={"shift": "x"})


@job()
def remind(ctx: JobContext, shift_id: int) -> None:
    pass


@job(schedule="* * * * *")
def sweep(ctx: JobContext) -> None:
    pass


@router.post("/", permission=USE, status=201)
def plan(ctx: Context) -> Message:
    """Plan a shift."""
    shift = Shift(name="tonight")
    ctx.session.add(shift)
    ctx.session.flush()
    index.put(ctx.session, shift.id, {"name": shift.name}, is_new=True)
    publish(ctx.session, ShiftPlanned(shift_id=shift.id, user_id=ctx.actor.user_id))
    enqueue(ctx.session, remind, at=datetime(2030, 1, 1).astimezone(), shift_id=shift.id)
    return Message(message="planned")


@hookimpl
def register_models():
    return [Base]


@hookimpl
def register_routes():
    return [router]


@hookimpl
def register_permissions():
    return [USE]


@hookimpl
def register_events():
    return [ShiftPlanned]


@hookimpl
def register_event_handlers():
    return [tell]


@hookimpl
def register_jobs():
    return [remind, sweep]


@hookimpl
def register_organization_settings():
    return [Settings]


@hookimpl
def register_notification_kinds():
    return [
        NotificationKind("rota_planned", "Planned", "Shift {shift}", "It is planned.", variables=("shift",)),
    ]


@hookimpl
def on_uninstall(ctx):
    removed.append(ctx.session.query(Shift).count())
'''

REVISION = """
import sqlalchemy as sa
from alembic import op

from helpdesk_core.api import BigKey, SearchIndex

revision = "0001"
down_revision = None


def upgrade():
    op.create_table(
        "rota_shift",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["core_organization.id"], name="fk_rota_shift_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rota_shift"),
        sa.UniqueConstraint("organization_id", "id", name="uq_rota_shift_organization_id_id"),
    )
    SearchIndex("rota_search", "name").create(op)


def downgrade():
    SearchIndex("rota_search", "name").drop(op)
    op.drop_table("rota_shift")
"""


@pytest.fixture
def rota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugin]:
    """The plugin, loaded and installed nowhere."""
    folder = tmp_path / "packages"
    with findable(folder, monkeypatch) as entries:
        entries.append(entry_point(write_package(folder, "rota", CODE, revisions={"0001_rota": REVISION})))
        found = next(plugin for plugin in load_plugins().plugins if plugin.id == "rota")
        assert found.state == "active", found.reason
        yield found


@pytest.fixture
def host(rota: Plugin, helpdesk_host: PluginHost) -> PluginHost:
    """Every installed plugin, and this one."""
    return PluginHost([*helpdesk_host.plugins, rota])


@pytest.fixture
def installation(host: PluginHost, helpdesk_databases, tmp_path: Path) -> Iterator[Installation]:
    """A helpdesk that has the code of the plugin and not yet its tables."""
    with running(helpdesk_databases, host, tmp_path) as installation:
        yield installation


@pytest.fixture
def lineage(rota: Plugin) -> Lineage:
    """The migrations of the plugin."""
    return Lineage("rota", rota.folder / "migrations")


@pytest.fixture
def install(installation: Installation, host: PluginHost):
    """Make the tables."""
    return lambda: upgrade(installation.parts.settings.database, lineages(host))
