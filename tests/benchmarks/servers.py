"""The servers that are compared, each one process behind the same four methods."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.floor.tokens import token_of
from tests.benchmarks.load import HOST
