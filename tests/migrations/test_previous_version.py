"""The version before of a plugin runs on the tables of the next one, until that takes something away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk_core.lineages import lineages
from helpdesk_core.migrations import upgrade
from helpdesk_core.plugins import PluginHealth, PluginHost, load_plugins
from helpdesk_core.testing import running
from helpdesk_core.uninstalling import Removal, names_of, remove
from tests.contract.steps import created, refused, served
from tests.packages import entry_point, findable, write_package
from tests.uninstalling.snapshots import schema

CODE = '''
from sqlalchemy import String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from helpdesk_core.api import (
    ROLES, BigKey, Context, Permission, Router, Schema, TenantScoped, hookimpl, metadata,
)

USE = Permission("rota:use", "Use it", ROLES)
router = Router("rota", tag="Rota")


class Base(DeclarativeBase):
    metadata = metadata


class Shift(Base, TenantScoped):
    __tablename__ = "rota_shift"
    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    name: Mapped[str] = mapped_column(String(50))


class Names(Schema):
    names: list[str]


@router.post("/", permission=USE, status=201)
def plan(ctx: Context) -> Names:
    """Plan a shift."""
    ctx.session.add(Shift(name="tonight"))
    ctx.session.flush()
    return show(ctx)


@router.get("/", permission=USE)
def show(ctx: Context) -> Names:
    """Show the shifts."""
    return Names(names=list(ctx.session.scalars(select(Shift.name))))


@hookimpl
def register_models():
    return [Base]


@hookimpl
def register_routes():
    return [router]


@hookimpl
def register_permissions():
    return [USE]
'''
HEAD = """
import sqlalchemy as sa
from alembic import op

from helpdesk_core.api import BigKey, create_index_online

revision = "{}"
down_revision = {}
{}

def downgrade():
    pass


def upgrade():
"""
SHIFTS = """    op.create_table(
        "rota_shift",
        sa.Column("id", BigKey, nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["core_organization.id"], name="fk_rota_shift_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rota_shift"),
    )
"""
TITLE = """    op.add_column("rota_shift", sa.Column("title", sa.String(50), nullable=False, server_default=""))
    op.create_table("rota_swap", sa.Column("id", BigKey, primary_key=True))
"""
INDEX = '    create_index_online(op, "ix_rota_shift_title", "rota_shift", ["title"])\n'
NO_NAME = '    op.drop_column("rota_shift", "name")\n'

NEXT = {
    "0002": ("'0001'", "", TITLE),
    "0003": ("'0002'", "online = True", INDEX),
    "0004": ("'0003'", 'phase = "contract"', NO_NAME),
}
"""Revisions of the next version."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package of the plugin, in the version before."""
    packages = tmp_path / "packages"
    with findable(packages, monkeypatch) as entries:
        first = HEAD.format("0001", None, "") + SHIFTS
        folder = write_package(packages, "rota", CODE, revisions={"0001": first})
        entries.append(entry_point(folder))
        yield folder


@pytest.fixture
def host(folder: Path, helpdesk_host: PluginHost) -> PluginHost:
    """Every installed plugin, and this one."""
    return PluginHost([*helpdesk_host.plugins, *(each for each in load_plugins().plugins if each.id == "rota")])


@pytest.fixture
def installation(host: PluginHost, helpdesk_databases, tmp_path: Path):
    """A helpdesk that runs the code of the version before; its tables are not there yet."""
    with running(helpdesk_databases, host, tmp_path) as installation:
        yield installation


@pytest.fixture
def looked(installation):
    """Have the process look at the database, as it does every minute."""

    def look():
        installation.clock.advance(minutes=2)
        installation.parts.services.get(PluginHealth).refresh()
        return next(each for each in installation.parts.host.plugins if each.id == "rota")

    return look


@pytest.fixture
def next_version_migrates(installation, host, folder):
    """Let the next version migrate as far as asked, and roll its code back."""

    def act(phase: str) -> None:
        files = {number: folder / "migrations" / f"{number}.py" for number in NEXT}
        for number, (before, said, lines) in NEXT.items():
            files[number].write_text(HEAD.format(number, before, said) + lines)
        upgrade(installation.parts.settings.database, lineages(host), phase=phase)
        for file in files.values():
            file.unlink()

    return act


@pytest.fixture
def before(installation, host, looked):
    """The schema without the plugin, which is installed then."""
    url = installation.parts.settings.database
    found = schema(url)
    upgrade(url, lineages(host))
    looked()
    return found


def test_it_works_on_what_was_added(before, owner, looked, next_version_migrates, anonymous):
    created(owner.post("/rota/"))
    next_version_migrates("expand")
    looked()
    assert created(owner.post("/rota/"))["names"] == ["tonight"] * 2
    assert served(owner.get("/rota/"))["names"] == ["tonight"] * 2
    ready = anonymous.raw("GET", "/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "database": "ok"})


def test_it_steps_aside_where_something_is_gone(before, owner, looked, next_version_migrates, anonymous):
    next_version_migrates("contract")
    looked()
    details = refused(owner.get("/rota/"), 503)["error"]["details"]
    assert details == {"plugin": "rota", "state": "needs_migration"}
    (told,) = (each for each in anonymous.raw("GET", "/healthz").json()["plugins"] if each["id"] == "rota")
    assert told["reason"] == (
        "a newer version has taken away what this one may use, with revision 0004: install the newer one again"
    )


@pytest.mark.parametrize("phase", ["expand", "contract"])
def test_it_can_be_uninstalled_and_leaves_nothing(before, installation, host, next_version_migrates, phase):
    next_version_migrates(phase)
    remove(Removal(names_of(host, "rota"), installation.parts.services, host))
    assert schema(installation.parts.settings.database) == before
    with installation.session() as session:
        noted = session.connection().exec_driver_sql("SELECT lineage FROM helpdesk_revision WHERE lineage = 'rota'")
        assert noted.fetchall() == []
