"""Which store an installation has; told by its settings alone."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from sqlalchemy import make_url

from helpdesk_core.limits.sqlite import MEMORY, SqliteStore
from helpdesk_core.limits.stores import Store
from helpdesk_core.settings import BadSetting, Settings

FILE = "limits.db"
WORDS: Mapping[str, str] = {
    "redis": "Redis",
    "postgres": "a table of PostgreSQL",
    "sqlite": f"{FILE} in the home folder",
}


def kind_of_store(settings: Settings) -> str:
    """Return `redis`, `postgres` or `sqlite`."""
    if settings.redis_url:
        return "redis"
    return "sqlite" if _on_sqlite(settings) else "postgres"


def stores_of(settings: Settings) -> list[Store]:
    """Return the stores of an installation, the preferred one first; the last one always answers."""
    stores: list[Store] = []
    if settings.redis_url:
        stores.append(_imported("redis").RedisStore(settings.redis_url))
    if _on_sqlite(settings):
        stores.append(SqliteStore(settings.home / FILE))
    else:
        stores.append(_imported("postgres").PostgresStore(settings.direct_database))
    return [*stores, SqliteStore(MEMORY)]


def _on_sqlite(settings: Settings) -> bool:
    return make_url(settings.database).get_backend_name() == "sqlite"


def _imported(name: str) -> Any:
    """Import a store whose driver is optional, hence only when it is asked for."""
    try:
        return import_module(f"helpdesk_core.limits.{name}")
    except ModuleNotFoundError as error:
        raise BadSetting(f"{WORDS[name]} needs a driver: install helpdesk-core[{name}] ({error}).") from None
