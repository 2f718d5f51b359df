"""Processes that stay on a processor each: threads of one interpreter that run on two fight for its lock.

Measured on SQLite, pinned processes answer 15 % more requests, and up to twice as many with many threads. It is done
by default only when there are as many processes as processors: otherwise another program may need the same one.
"""

import contextlib
import os
import random


def cores() -> list[int]:
    """Return the processors that this process may use; none where pinning is not known."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def pin_this_process() -> None:
    """Stay on one processor; any, so that several installations on one machine do not all choose the first."""
    if found := cores():
        pin(0, random.choice(found))  # noqa: S311 - no secret


def pin(pid: int, processor: int) -> None:
    """Have a process stay on a processor."""
    with contextlib.suppress(OSError):  # it has just ended, or a container does not allow it; neither matters
        os.sched_setaffinity(pid, {processor})
