"""One key for two requests."""

from sqlalchemy import update

from helpdesk_core.accounts.models import User
from helpdesk_core.testing import Client, Installation
from tests.contract.steps import created, refused, served


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
