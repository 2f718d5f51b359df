from datetime import UTC, datetime, timedelta

import pytest

from helpdesk_core.accounts.service.delays import ANYWHERE, AT_ADDRESS, PROOFS, _whole, logins_of, network_of


def test_each_failure_doubles_the_wait_up_to_a_quarter_of_an_hour():
    waits = [AT_ADDRESS.wait(failures) for failures in range(1, 18)]
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert AT_ADDRESS.wait(10**9) == 900


def test_failures_from_everywhere_cost_a_minute_at_most():
    assert [ANYWHERE.wait(failures) for failures in (49, 50, 51, 56, 1000)] == [0, 1, 2, 60, 60]


def test_five_wrong_codes_cost_what_is_left_of_a_quarter_of_an_hour():
    assert [PROOFS.wait(failures) for failures in (4, 5, 6)] == [0, 900, 900]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_an_ipv6_network_is_one_place(address, network):
    assert network_of(address) == network


def test_a_name_counts_once_however_it_is_written():
    subjects = {logins_of(name, None, "192.0.2.7")[0].subject for name in ("Nobody", "NOBODY", "nobody")}
    assert len(subjects) == 1
    assert logins_of("nobody", None, "192.0.2.8")[0].subject not in subjects


def test_subjects_fit_their_column_and_name_nobody():
    for each in logins_of("\ud800nobody" * 1000, None, "192.0.2.7"):
        assert len(each.subject) == 64
        assert each.user_id is None


def test_a_wait_does_not_end_early_because_seconds_are_whole():
    moment = datetime(2026, 3, 2, 10, 0, 0, 1, tzinfo=UTC)
    assert _whole(moment) == datetime(2026, 3, 2, 10, 0, 1, tzinfo=UTC)
    assert _whole(moment - timedelta(microseconds=1)) == datetime(2026, 3, 2, 10, tzinfo=UTC)
