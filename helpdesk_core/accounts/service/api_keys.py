"""The verbs of API keys. What is stored of a key cannot be turned back into it."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from helpdesk_core import audit
from helpdesk_core.accounts.events import ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated
from helpdesk_core.accounts.models import ApiKey
from helpdesk_core.accounts.schemas.api_keys import ApiKeyCreate
from helpdesk_core.accounts.scopes import unknown
from helpdesk_core.accounts.secrets import new_key
from helpdesk_core.clock import api_time
from helpdesk_core.errors import Invalid
from helpdesk_core.events import now, publish


def create_key(session: Session, user_id: int, data: ApiKeyCreate, declared: Collection[str]) -> tuple[ApiKey, str]:
    """Make a key that acts as `user_id`; return it with its text, which nobody can read again.

    Args:
        session: of the owner's organisation.
        user_id: the owner.
        data: what the owner wants.
        declared: codes of all permissions there are.

    Raises:
        Invalid: a scope does not exist, or the key would have expired already (400).
    """
    _check(session, data.model_dump(), declared)
    made = new_key()
    key = ApiKey(
        user_id=user_id,
        name=data.name,
        prefix=made.prefix,
        secret_hash=made.secret_hash,
        scopes=data.scopes,
        addresses=data.addresses,
        created_at=now(session),
        expires_at=data.expires_at,
    )
    session.add(key)
    session.flush()
    audit.record(session, "api_key.created", "api_key", key.id, after=_facts(key))
    publish(session, ApiKeyCreated(key_id=key.id, user_id=user_id, name=key.name, prefix=key.prefix))
    return key, made.text


def change_key(session: Session, key: ApiKey, changes: Mapping[str, Any], declared: Collection[str]) -> None:
    """Change what a key is called, what it may do, until when and from where.

    Raises:
        Invalid: a scope does not exist, or the key would have expired already (400).
    """
    _check(session, changes, declared)
    before = _facts(key)
    for name, value in changes.items():
        setattr(key, name, value)
    session.flush()
    after = _facts(key)
    changed = [name for name, value in after.items() if before[name] != value]
    if changed:
        audit.record(
            session,
            "api_key.updated",
            "api_key",
            key.id,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )


def rotate_key(session: Session, key: ApiKey, overlap: timedelta) -> str:
    """Give a key another secret and return its text; the secret of before works for `overlap` still, no older one.

    Of two rotations at once, the second follows the first.
    """
    session.refresh(key, with_for_update={"key_share": True})
    made = new_key(key.prefix)
    key.previous_hash, key.previous_until = key.secret_hash, now(session) + overlap
    key.secret_hash = made.secret_hash
    session.flush()
    seconds = int(overlap.total_seconds())
    audit.record(session, "api_key.rotated", "api_key", key.id, after={"overlap_seconds": seconds})
    publish(session, ApiKeyRotated(key_id=key.id, user_id=key.user_id, overlap_seconds=seconds))
    return made.text


def revoke_key(session: Session, key: ApiKey) -> None:
    """End a key: it does not work from now on. Its row stays, for whoever asks later what it was."""
    key.revoked_at = now(session)
    key.previous_hash = key.previous_until = None
    session.flush()
    audit.record(session, "api_key.revoked", "api_key", key.id, before=_facts(key))
    publish(session, ApiKeyRevoked(key_id=key.id, user_id=key.user_id))


def _check(session: Session, values: Mapping[str, Any], declared: Collection[str]) -> None:
    strange = unknown(declared, values.get("scopes", ()))
    if strange:
        raise Invalid.field("scopes", f"There is no scope {strange[0]!r}. Use codes of permissions, tickets:* or *.")
    expires_at: datetime | None = values.get("expires_at")
    if expires_at is not None and expires_at <= now(session):
        raise Invalid.field("expires_at", "This is in the past.")


def _facts(key: ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "addresses": list(key.addresses),
        "expires_at": api_time(key.expires_at) if key.expires_at else None,
    }
