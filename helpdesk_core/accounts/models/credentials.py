"""Tables of second factors and API keys."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk_core.database import BigKey, CoreBase, UtcDateTime
from helpdesk_core.tenancy import TenantScoped, tenant_reference


class SecondFactor(CoreBase, TenantScoped):
    """A device that makes one-time codes (RFC 6238); pending until its first code was right."""

    __tablename__ = "core_second_factor"
    __table_args__ = (
        tenant_reference("user_id", "core_user.id"),
        Index("uq_core_second_factor_user_id_name_key", "user_id", "name_key", unique=True),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int]
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(100))
    secret: Mapped[str] = mapped_column(String(255))
    """Encrypted by `Vault`."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    """The newest time step whose code was used; none is taken twice, nor an older one."""
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class BackupCode(CoreBase, TenantScoped):
    """One of ten codes that stand in for a lost device, once each, from when their device is confirmed."""

    __tablename__ = "core_backup_code"
    __table_args__ = (
        tenant_reference("user_id", "core_user.id"),
        Index("ix_core_backup_code_user_id", "user_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int]
    selector: Mapped[str] = mapped_column(String(16))
    """Finds the one hash that a code is compared with; made with a key that is not stored here."""
    code_hash: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ApiKey(CoreBase, TenantScoped):
    """A key that acts as its owner, within its scopes. Only hashes of the secret part are stored."""

    __tablename__ = "core_api_key"
    __table_args__ = (
        tenant_reference("user_id", "core_user.id"),
        Index("uq_core_api_key_prefix", "prefix", unique=True),
        Index("ix_core_api_key_user_id_created_at_id", "user_id", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int]
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64))
    previous_hash: Mapped[str | None] = mapped_column(String(64))
    """Of the secret before the last rotation, which works until `previous_until`."""
    previous_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    """Codes of permissions, `tickets:*` for all of a plugin, `*` for all that the owner has."""
    addresses: Mapped[list[str]] = mapped_column(JSON)
    """Networks that the key may be used from; empty means any."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_address: Mapped[str | None] = mapped_column(String(45))
