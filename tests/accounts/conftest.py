"""More people: somebody who administers the installation, and an account that nobody is logged in to."""

import pytest

from helpdesk_core.accounts.models import Organization, User
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.service import create_user
from helpdesk_core.testing import Account, Client
from tests.accounts.phones import enroll
from tests.contract.steps import PASSWORD, register


@pytest.fixture
def platform(installation, owner):
    """A platform administrator, who belongs to Acme."""
    with installation.session(owner.organization_id) as session:
        user = create_user(
            session,
            organization=session.get_one(Organization, owner.organization_id),
            username="platform",
            email="platform@acme.com",
            password_hash=installation.parts.services.get(Passwords).hash(PASSWORD),
            role="admin",
            is_platform_admin=True,
        )
        session.commit()
        account = Account(user.id, user.email, user.username, owner.organization_id, "admin")
    return Client(installation.http, installation.clock, account)


@pytest.fixture
def account(owner, anonymous):
    """The account `newcomer`, a customer of Acme."""
    return register(anonymous)


@pytest.fixture
def change(installation):
    """Changes the row of a user behind the API's back."""

    def change_row(user_id, **fields):
        with installation.session() as session:
            user = session.get_one(User, user_id)
            for name, value in fields.items():
                setattr(user, name, value)
            session.commit()

    return change_row


@pytest.fixture
def phone(member, clock):
    """The device of the member, verified."""
    return enroll(member, clock)
