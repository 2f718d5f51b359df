"""Samples of several processes: what is gone stays counted, and what no longer stands is not told."""

import errno
import os
import subprocess
import sys

import pytest

from helpdesk_core.telemetry.samples import Full, Samples, absorb, everybody, summed

COUNTED = """
import sys
from pathlib import Path
from helpdesk_core.telemetry.samples import Samples
samples = Samples()
samples.share(Path(sys.argv[1]))
samples.cells[samples.place(("requests", "GET"))] = 7
samples.cells[samples.place(("waiting",), 2)] = 3
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Start a process that has counted seven requests, and hold it until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", COUNTED, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_a_series_keeps_its_place_and_begins_with_nothing():
    samples = Samples()
    first, second = samples.place(("a", "1"), 3), samples.place(("a", "2"))
    assert (samples.place(("a", "1"), 3), second - first >= 3) == (first, True)
    samples.cells[first + 1] += 2
    assert samples.own()["a", "1"] == [0, 2, 0]
    assert samples.own()["a", "2"] == [0]


def test_thousands_of_series_keep_what_they_have_counted():
    samples = Samples()
    for number in range(5000):
        at = samples.place(("series", str(number)))
        samples.cells[at] = number
    found = samples.own()
    assert all(found["series", str(number)] == [number] for number in range(5000))


def test_a_series_without_room_is_refused_and_the_others_stay():
    samples = Samples(size=2048)
    with pytest.raises(Full):
        [samples.place(("series", str(number))) for number in range(1000)]
    assert samples.own()["series", "0"] == [0]


def test_what_a_killed_process_has_counted_is_told_as_gone(request, tmp_path, other):
    mine = Samples()
    request.addfinalizer(mine.close)
    mine.share(tmp_path)
    mine.cells[mine.place(("requests", "GET"))] += 1
    running, gone = everybody(tmp_path)
    assert (len(running), gone, summed(running)["requests", "GET"]) == (2, [], [8])
    other.kill()
    other.wait()
    running, gone = everybody(tmp_path)
    assert (len(running), summed(gone)["requests", "GET"]) == (1, [7])


def test_those_that_are_gone_are_put_together_and_counted_once(tmp_path, other):
    other.kill()
    other.wait()
    (before,) = everybody(tmp_path)[1]
    absorb(tmp_path)
    absorb(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gone.samples", "lock"]
    running, gone = everybody(tmp_path)
    assert (running, summed(gone)) == ([], {**before, ("",): before["",]})


def test_what_was_counted_with_other_bounds_is_left_out():
    assert summed([{("a",): [1.0, 2.0]}, {("a",): [1.0]}]) == {("a",): [1.0, 2.0]}


def test_what_was_counted_with_other_bounds_long_ago_gives_way_to_those_that_are_gone_now(tmp_path, other):
    (tmp_path / "gone.samples").write_bytes(block(("waiting",), [9]))
    other.kill()
    other.wait()
    absorb(tmp_path)
    assert summed(everybody(tmp_path)[1])["waiting",] == [3, 0]


def block(series, values):
    """Return what the file of a process has that counted one series."""
    samples = Samples()
    at = samples.place(series, len(values))
    for offset, value in enumerate(values):
        samples.cells[at + offset] = value
    return bytes(samples._buffer[: samples._used])


def test_a_process_killed_before_it_could_count_keeps_nobody_from_reading(tmp_path, other):
    (tmp_path / "1-0.samples").touch()
    running, gone = everybody(tmp_path)
    assert (len(running), gone) == (1, [{}])
    absorb(tmp_path)
    assert not (tmp_path / "1-0.samples").exists()


def test_a_process_that_finds_no_room_for_its_file_leaves_none_and_counts_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("os.posix_fallocate", no_room, raising=False)
    samples = Samples()
    with pytest.raises(OSError, match="No space left"):
        samples.share(tmp_path)
    samples.cells[samples.place(("requests", "GET"))] = 7
    assert samples.own()["requests", "GET"] == [7]
    assert not samples.is_shared
    assert not [*tmp_path.glob("*.samples")]


def no_room(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
