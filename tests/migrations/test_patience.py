"""Tries are far enough apart, and come to an end."""

from helpdesk_core.migrations import Patience


def test_pauses_grow_until_the_time_is_over():
    pauses = list(Patience(60, jitter=lambda: 1).pauses())
    assert [pause for pause, _ in pauses] == [0.5, 1, 2, 4, 8, 8, 8, 8, 8]
    assert [left for _, left in pauses] == [58.5, 57, 54.5, 50, 41.5, 33, 24.5, 16, 7.5]


def test_without_any_time_there_is_one_try():
    assert list(Patience(0).pauses()) == []


def test_migrators_do_not_try_in_step():
    first, second = ([pause for pause, _ in Patience(600).pauses()] for _ in range(2))
    assert first != second
    assert all(0.25 <= pause <= 12 for pause in first)
