"""Several processes of the server that cannot start: whoever started them has to hear of it."""

import subprocess
import sys

from uvicorn.config import STARTUP_FAILURE

RUN = """
from uvicorn import Config
from helpdesk_core.cli.workers import Workers

Workers(Config("nowhere:application", workers=2), [], ()).run()
"""


def test_the_parent_leaves_with_the_exit_code_of_a_process_that_cannot_start():
    ended = subprocess.run([sys.executable, "-c", RUN], check=False, capture_output=True, text=True)
    assert ended.returncode == STARTUP_FAILURE, ended.stderr
