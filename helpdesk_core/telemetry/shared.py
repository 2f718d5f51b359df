"""The folder in which the processes of one server count."""

import os
from collections.abc import Callable
from tempfile import TemporaryDirectory


def shared_folder(variable: str, run: Callable[[], None]) -> Callable[[], None]:
    """Return `run` with a folder that the variable names to the processes that it starts, and that ends with it."""

    def run_with_folder() -> None:
        with TemporaryDirectory(prefix="helpdesk-metrics-", ignore_cleanup_errors=True) as folder:
            os.environ[variable] = folder
            run()

    return run_with_folder
