"""One key for two requests."""

from hashlib import sha256

from sqlalchemy import select, update

from helpdesk_core.accounts.models import User
from helpdesk_core.testing import Client, Installation
from helpdesk_core.web.idempotency import IdempotentRequest
from tests.contract.steps import PASSWORD, created, refused, served


def test_a_key_serves_no_request_in_another_organization(installation: Installation, owner: Client) -> None:
    assert owner.user is not None
    with installation.session() as session:
        session.execute(update(User).where(User.id == owner.user.id).values(is_platform_admin=True))
        installation.commit(session)
    first, second = (
        f"/organizations/{created(owner.post('/organizations/', json={'name': name}))['id']}/" for name in "AB"
    )
    headers = {"Idempotency-Key": "once"}
    done = served(owner.post(f"{first}deactivate/", headers=headers))
    refused(owner.post(f"{second}deactivate/", headers=headers), 422)
    assert served(owner.get(second))["is_active"]
    again = owner.post(f"{first}deactivate/", headers=headers)
    assert served(again) == done
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_refusal_leaves_the_key_free(member: Client) -> None:
    headers = {"Idempotency-Key": "again"}
    body = {"old_password": "wrong", "new_password": "another long password"}
    for _ in range(2):
        refused(member.post("/users/change-password/", json=body, headers=headers), 400)
    served(member.post("/users/change-password/", json={**body, "old_password": PASSWORD}, headers=headers))


def test_what_is_kept_of_a_body_cannot_be_guessed(installation: Installation, member: Client) -> None:
    body = b'{"old_password": "correct horse battery staple", "new_password": "another long password"}'
    headers = {"Idempotency-Key": "once", "Content-Type": "application/json"}
    served(member.post("/users/change-password/", content=body, headers=headers))
    with installation.session() as session:
        (kept,) = session.scalars(select(IdempotentRequest.fingerprint))
    assert kept != sha256(b"/users/change-password/?\n" + body).hexdigest()
