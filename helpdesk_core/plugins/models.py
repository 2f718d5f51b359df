"""What the processes of an installation tell each other, and operators, about plugins that fail."""

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk_core.database import CoreBase, UtcDateTime


class PluginFault(CoreBase):
    """How often a plugin failed in a phase, and at what last.

    Attributes:
        plugin: its id.
        phase: what it was doing, one of `Phase`.
        times: since the first one, as long as they are not a week apart.
        reason: kind of the last error and where it was raised. Not its message, which may hold what people wrote; the
            log has that.
    """

    __tablename__ = "core_plugin_fault"

    plugin: Mapped[str] = mapped_column(String(20), primary_key=True)
    phase: Mapped[str] = mapped_column(String(20), primary_key=True)
    times: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(300))
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PluginSuspension(CoreBase):
    """A plugin that pauses, in every process: most of what it did failed."""

    __tablename__ = "core_plugin_suspension"

    plugin: Mapped[str] = mapped_column(String(20), primary_key=True)
    phase: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(300))
    until: Mapped[datetime] = mapped_column(UtcDateTime)
