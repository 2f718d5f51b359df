"""How long a migration waits for locks, and whom it tells."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_LONGEST_PAUSE = 8.0


def _nobody(_: str) -> None:
    return


def _jitter() -> float:
    return 0.5 + secrets.randbelow(1000) / 1000


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a step is tried that cannot have its locks at once; only PostgreSQL needs any.

    Attributes:
        seconds: after how long nothing is tried any more; 0 tries once.
        lock_seconds: how long one try waits for a lock, and whoever wants the table meanwhile queues up behind it. Less
            than the second after which PostgreSQL looks for a deadlock, else a request may be the one that has to go.
        tell: is given a sentence for the operator at each pause.
        sleep: pauses.
        jitter: by what a pause is multiplied, so that several migrators do not try in step.
    """

    seconds: float = 60.0
    lock_seconds: float = 0.5
    tell: Callable[[str], None] = _nobody
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = _jitter

    def pauses(self) -> Iterator[tuple[float, float]]:
        """Iterate over the pauses between tries, each with the seconds that are left after it."""
        spent, pause = self.lock_seconds, 0.5
        while True:
            length = pause * self.jitter()
            spent += length + self.lock_seconds
            if spent > self.seconds:
                return
            yield length, self.seconds - spent
            pause = min(pause * 2, _LONGEST_PAUSE)
