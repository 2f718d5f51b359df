"""The registry of this plugin's tables."""

from sqlalchemy.orm import DeclarativeBase

from helpdesk_core.api import metadata


class Base(DeclarativeBase):
    """Declarative base of this plugin: a registry of its own, the metadata of all."""

    metadata = metadata
