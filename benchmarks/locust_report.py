"""Locust's HTML report of a run of some length: the peer of the benchmark of reports.

Run: python benchmarks/locust_report.py PATH --seconds N [--every S]

Locust makes its report in the process that ran the test, from what is in memory. So this puts a run
of N seconds there, with a point of its history each S seconds (Locust's own setting is 5), and
times `get_html_report` and the writing of the file, nothing else. Prints one JSON object.
"""

# ruff: noqa: I001 - locust comes first: it makes the standard library cooperative

from __future__ import annotations

from locust import FastHttpUser, task
from locust.env import Environment
from locust.html import get_html_report
from locust.stats import PERCENTILES_TO_CHART

import argparse
import json
import math
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_BEGUN = datetime(2025, 11, 23, 15, 51, 7, tzinfo=UTC)
_RPS = 100


class Shopper(FastHttpUser):
    """A user of one task; it is never started."""

    host = "http://127.0.0.1"

    @task
    def look(self) -> None:
        """The task."""


def environment_of(length_s: int, every_s: int) -> Environment:
    """An environment as it is after a run of `length_s` seconds."""
    environment = Environment(user_classes=[Shopper], host=Shopper.host)
    stats = environment.create_local_runner().stats
    stats.total.start_time = _BEGUN.timestamp()
    for name in ("/orders", "/items"):
        entry = stats.get(name, "GET")
        for spent_ms in range(10, 400):
            entry.log(spent_ms, 412)
        entry.last_request_timestamp = _BEGUN.timestamp() + length_s
    # A point that Locust would add at the end comes from a clock; the last one is late enough.
    stats.total.last_request_timestamp = _BEGUN.timestamp() + length_s - every_s
    stats.history.extend(_point(at) for at in range(0, length_s, every_s))
    return environment


def _point(at_s: int) -> dict[str, Any]:
    time_utc = (_BEGUN + timedelta(seconds=at_s)).isoformat().replace("+00:00", "Z")
    wave = 1 + 0.5 * math.sin(at_s / 600)
    times = {
        f"response_time_percentile_{one}": [time_utc, round(30 * wave / (1.05 - one))]
        for one in PERCENTILES_TO_CHART
    }
    return {
        **times,
        "current_rps": [time_utc, round(_RPS * wave, 1)],
        "current_fail_per_sec": [time_utc, round(wave, 1)],
        "total_avg_response_time": [time_utc, round(31 * wave, 2)],
        "user_count": [time_utc, _RPS],
        "time": time_utc,
    }


def main() -> None:
    """Makes one report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--every", type=int, default=5)
    options = parser.parse_args()
    environment = environment_of(options.seconds, options.every)
    begun = time.perf_counter()
    page = get_html_report(environment, show_download_link=False)  # type: ignore[no-untyped-call]
    options.path.write_text(page, encoding="utf-8")
    took_s = time.perf_counter() - begun
    print(json.dumps({"took_s": took_s}))


if __name__ == "__main__":
    main()
