"""What can happen to a backup, and to the disk that it is written to."""

import json
import resource
from contextlib import contextmanager

from helpdesk_core.backup.manifest import checksum_line


def flip(path, at=-1):
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def make_unreadable(path):
    """Have the system tell of an error as soon as somebody reads the file, as of a broken disk."""
    path.unlink()
    path.symlink_to("/proc/self/mem")


def rewrite(backup, **changes):
    """Write the manifest anew, with a checksum that fits."""
    content = json.dumps({**json.loads((backup / "manifest.json").read_text()), **changes}).encode()
    (backup / "manifest.json").write_bytes(content)
    (backup / "manifest.sha256").write_bytes(checksum_line(content))


def some_file(backup):
    return max((backup / "files").glob("??/*"), key=lambda path: path.stat().st_size)


@contextmanager
def no_file_larger_than(size: int):
    """What a full disk does to whoever writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
