"""The benchmark of what a tuning leaves behind, with a few of its faults."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.system.conftest import TIMEOUT_S

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "tuner_faults.py"


def test_nothing_is_left_behind_by_killed_runs_and_lost_credentials() -> None:
    ended = subprocess.run(
        [sys.executable, BENCHMARK, "--quick"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    # Tried, restored, without a journal, kept and said, not met.
    assert re.search(r"^all +3 +3 +\d +0 +0$", ended.stdout, re.MULTILINE), ended.stdout
