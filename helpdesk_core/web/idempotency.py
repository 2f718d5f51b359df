"""`Idempotency-Key`: a POST that is sent again gets the first answer again, and happens once (decision D9)."""

import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, ScalarResult, String, UniqueConstraint, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from helpdesk_core.database import BigKey, CoreBase, UtcDateTime
from helpdesk_core.errors import HelpdeskError, Invalid, Unprocessable
from helpdesk_core.keys import Vault
from helpdesk_core.permissions import Actor
from helpdesk_core.tenancy import TenantScoped
from helpdesk_core.web.answers import Answer
from helpdesk_core.web.requests import Incoming

LONGEST_KEY = 255


class IdempotentRequest(CoreBase, TenantScoped):
    """A POST that carried a key, with its answer; written in the transaction of its effect."""

    __tablename__ = "core_idempotent_request"
    __table_args__ = (UniqueConstraint("user_id", "key"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    key: Mapped[str] = mapped_column(String(LONGEST_KEY))
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Idempotency:
    """Answers what is sent again as it was answered before."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Take the keys of fingerprints, the present one first: a body may hold a password that could be guessed."""
        self._keys = keys

    def once(
        self,
        session: Session,
        actor: Actor,
        incoming: Incoming,
        moment: datetime,
        act: Callable[[], Answer],
        *,
        vault: Vault | None = None,
    ) -> Answer:
        """Run `act`, or return the answer that the same key got before.

        A twin that arrives while the first is still at work waits for it: both insert the same key.

        Args:
            session: that of the request.
            actor: who sends it.
            incoming: the request.
            moment: the present.
            act: what must happen once; a refusal gives the key free again.
            vault: encrypts what is kept of an answer that shows a secret.
        """
        key = _key_of(incoming)
        values = {
            "organization_id": actor.organization_id,
            "user_id": actor.user_id,
            "key": key,
            "fingerprint": _fingerprint(incoming, self._keys[0]),
            "created_at": moment,
        }
        if not _claim(session, values):
            return self._replay(_stored(session, actor, key).one_or_none(), incoming, vault)
        try:
            answer = act()
        except HelpdeskError as error:
            if error.keeps_writes:
                session.delete(_stored(session, actor, key).one())
                session.flush()
            raise
        session.flush()
        row = _stored(session, actor, key).one()
        body = answer.body if isinstance(answer.body, bytes) else b""
        row.status, row.body = answer.status, vault.encrypt(body.decode()).encode() if vault else body
        return answer

    def replayed(
        self, session: Session, actor: Actor, incoming: Incoming, *, vault: Vault | None = None
    ) -> Answer | None:
        """Return the answer that the same key got before, for endpoints that do something before they write."""
        row = _stored(session, actor, _key_of(incoming)).one_or_none()
        return self._replay(row, incoming, vault) if row else None

    def _replay(self, row: IdempotentRequest | None, incoming: Incoming, vault: Vault | None) -> Answer:
        # A taken key without a row was used in another organisation, which only platform administrators work in.
        if row is None or row.status is None or not self._is_same(row, incoming):
            raise Unprocessable("This Idempotency-Key was used for another request.")
        body = row.body or b""
        if vault is not None:
            body = vault.decrypt(body.decode()).encode()
        return Answer(row.status, body, {"Idempotency-Replayed": "true"})

    def _is_same(self, row: IdempotentRequest, incoming: Incoming) -> bool:
        return any(hmac.compare_digest(row.fingerprint, _fingerprint(incoming, key)) for key in self._keys)


def _key_of(incoming: Incoming) -> str:
    key = incoming.headers["idempotency-key"]
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        raise Invalid.field("Idempotency-Key", f"Use 1 to {LONGEST_KEY} printable characters.")
    return key


def _fingerprint(incoming: Incoming, key: bytes) -> str:
    upload = incoming.upload
    file = f"{upload.filename} {upload.size}\n" if upload is not None else ""
    sent = f"{incoming.path}?{incoming.query}\n{file}".encode("utf-8", "surrogatepass") + incoming.body
    return hmac.digest(key, sent, "sha256").hex()


def _claim(session: Session, values: dict[str, Any]) -> bool:
    insert = sqlite.insert if session.info["database"] == "sqlite" else postgresql.insert
    statement = insert(IdempotentRequest).values(values).on_conflict_do_nothing().returning(IdempotentRequest.id)
    return session.execute(statement).first() is not None


def _stored(session: Session, actor: Actor, key: str) -> ScalarResult[IdempotentRequest]:
    wanted = select(IdempotentRequest).where(IdempotentRequest.user_id == actor.user_id, IdempotentRequest.key == key)
    return session.scalars(wanted)
