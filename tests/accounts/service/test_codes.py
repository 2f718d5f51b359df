import pytest
from sqlalchemy import select

from helpdesk_core.accounts.backup_codes import BackupCodes
from helpdesk_core.accounts.models import BackupCode
from helpdesk_core.accounts.passwords import Passwords
from helpdesk_core.accounts.service import codes
from helpdesk_core.accounts.service.codes import Checker
from helpdesk_core.keys import Vault
from helpdesk_core.settings import Settings


@pytest.fixture
def checker(installation):
    services = installation.parts.services
    return Checker(services.get(Vault), services.get(BackupCodes), services.get(Passwords))


def test_of_a_thousand_replays_none_is_taken(installation, member, clock, checker, phone):
    code, user_id = phone.next_code(), member.user.id
    with installation.session(member.organization_id) as session:
        evidence = codes.evidence_of(session, checker, user_id, code, clock.now())
        assert codes.take(session, user_id, evidence)
        for _ in range(1000):
            assert codes.evidence_of(session, checker, user_id, code, clock.now()) is None
            assert not codes.take(session, user_id, evidence)


def test_a_code_that_fitted_is_not_taken_when_another_was_faster(installation, member, clock, checker, phone):
    for code in (phone.next_code(), phone.backup_codes[0]):
        taken = []
        with installation.session(member.organization_id) as session:
            twins = [codes.evidence_of(session, checker, member.user.id, code, clock.now()) for _ in range(2)]
            assert None not in twins
            taken = [codes.take(session, member.user.id, each) for each in twins]
            installation.commit(session)
        assert taken == [True, False]


def test_what_finds_a_backup_code_says_nothing_without_the_key(installation, member, checker, phone):
    with installation.session() as session:
        stored = set(session.scalars(select(BackupCode.selector)))
    assert stored == {checker.backup_codes.selectors(member.user.id, code)[0] for code in phone.backup_codes}
    other = BackupCodes(Settings(secret_key="another key that is long enough for this"))
    assert stored.isdisjoint(other.selectors(member.user.id, code)[0] for code in phone.backup_codes)
    assert stored.isdisjoint(checker.backup_codes.selectors(member.user.id + 1, code)[0] for code in phone.backup_codes)


def test_codes_are_found_by_previous_keys_as_well():
    earlier, later = "the first key of the installation, long", "the second key of the installation, long"
    made = BackupCodes(Settings(secret_key=earlier)).selectors(7, "12345678")
    found = BackupCodes(Settings(secret_key=later, previous_secret_keys=(earlier,))).selectors(7, "12345678")
    assert made[0] in found[1:]
