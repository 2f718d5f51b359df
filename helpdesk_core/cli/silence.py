"""Commands that tell what is wrong themselves; importing this costs nothing."""

import contextlib
import logging
from collections.abc import Iterator


@contextlib.contextmanager
def nothing_logged() -> Iterator[None]:
    """Log nothing in the meantime, for commands that tell themselves what is wrong."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)
