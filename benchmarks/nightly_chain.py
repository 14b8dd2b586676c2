"""Twelve nights over a real sandbox; in the ninth a handler is deployed that waits longer.

Each night is the command `reports nightly` with a tuning and a load run. From the ninth on, the
handler behind GET /orders waits 30 % longer. That must be found, with step, figure and night; the
nights fail until somebody accepts the change, after the tenth, and then pass again. Ends with 1
where a night did not end as it should.

    python benchmarks/nightly_chain.py
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

BIN = Path(sys.executable).parent
SLOWED, ACCEPTED, NIGHTS = 9, 10, 12
WAIT_S, SLOWER = 0.040, 1.3
FIRST = date(2026, 11, 1)

HANDLER = """
import json, random, time

def handler(event, context):
    time.sleep({wait_s} * random.lognormvariate(0, 0.1))
    return {{"statusCode": 200, "body": json.dumps({{"id": 1}})}}
"""
FUNCTION = {"runtime": "python3", "handler": "handler.handler", "memory_mb": 512, "timeout_s": 5}
STACK = """
name: chain
functions:
  get-orders: {folder: get-orders}
  get-products:
    model:
      duration_ms: {cpu_ms: 4, wait_ms: 20}
      noise: {log_sigma: 0.2}
      init_ms: 100
      hold: true
      response: {statusCode: 200, body: '[]'}
    memory_mb: 512
    timeout_s: 5
apis:
  shop:
    kind: http
    routes:
      - {path: /orders, method: GET, function: get-orders}
      - {path: /products, method: GET, function: get-products}
"""
PROFILE = """
version: 1
name: shop
target: {api: {name: shop}}
load:
  model: open
  arrivals: poisson
  seed: 3
  phases:
    - {name: warm-up, duration: 2s, rate: 30, measure: false}
    - {name: steady, duration: SECONDSs, rate: 50}
scenarios:
  - {name: orders, flow: [{get: /orders}]}
  - {name: products, flow: [{get: /products}]}
validity: {max_start_lag: 100ms}
"""
PLAN = """
version: 1
name: chain
steps:
  - {tune: get-products, sizes: [256, 512], samples: 6}
  - {load: shop.yaml, name: shop}
gates:
  min_nights: 6
  inconclusive: pass
  confirm: {reruns: 2}
"""


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=12, help="of load a night")
    parser.add_argument("--keep", type=Path, help="folder for all files; else they are removed")
    arguments = parser.parse_args(given)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as made:
        folder = arguments.keep or Path(made)
        _write(folder, arguments.seconds)
        with _Sandbox(folder) as environment:
            wrong = _nights(folder, environment)
    print(f"{time.monotonic() - began:.0f} s in all; nights that did not end as meant: {wrong}")
    return 1 if wrong else 0


def _write(folder: Path, seconds: int) -> None:
    code = folder / "get-orders"
    code.mkdir(parents=True, exist_ok=True)
    (code / "function.json").write_text(json.dumps(FUNCTION))
    (code / "handler.py").write_text(HANDLER.format(wait_s=WAIT_S))
    (folder / "stack.yaml").write_text(STACK)
    (folder / "shop.yaml").write_text(PROFILE.replace("SECONDS", str(seconds)))
    (folder / "nightly.yaml").write_text(PLAN)


class _Sandbox:
    """A sandbox with the stack, and the environment that sends AWS clients to it."""

    def __init__(self, folder: Path) -> None:
        command = ["up", "--port", "0", "--json", "-q", "--stop-with-stdin", "--no-functions"]
        self._child = subprocess.Popen(
            [str(BIN / "sandbox"), *command, "--stack", str(folder / "stack.yaml")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Mapping[str, str]:
        told = json.loads(self._child.stdout.readline())  # type: ignore[union-attr] # a pipe
        return {**os.environ, **told["environment"]}

    def __exit__(self, *_: object) -> None:
        self._child.stdin.close()  # type: ignore[union-attr] # a pipe
        self._child.wait(20)


def _nights(folder: Path, environment: Mapping[str, str]) -> list[int]:
    wrong, slowed_id = [], ""
    print(f"{'night':<12}{'exit':>5}{'runs':>6}{'seconds':>9}  what it says")
    for number in range(1, NIGHTS + 1):
        if number == SLOWED:
            (folder / "get-orders" / "handler.py").write_text(
                HANDLER.format(wait_s=WAIT_S * SLOWER)
            )
            stack = str(folder / "stack.yaml")
            deploy = [str(BIN / "sandbox"), "deploy", stack, "-q"]
            subprocess.run(deploy, check=True, env=environment, timeout=60)
        night = _night(folder, environment, number)
        expected = 3 if SLOWED <= number <= ACCEPTED else 0
        if night["exit_code"] != expected or (expected and not _named(night)):
            wrong.append(number)
        if number == SLOWED:
            slowed_id = night["night_id"]
        if number == ACCEPTED:
            _accept(folder, environment, slowed_id)
    return wrong


def _night(folder: Path, environment: Mapping[str, str], number: int) -> dict:
    day = FIRST + timedelta(days=number - 1)
    began = time.monotonic()
    finished = subprocess.run(
        [
            str(BIN / "reports"), "nightly", "nightly.yaml", "--night", str(day),
            "--history", "history", "--runs", "runs", "--json", "-q",
        ],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    if not finished.stdout.strip():
        raise SystemExit(f"night {number} has no document: {finished.stderr}")
    night = json.loads(finished.stdout)
    runs = sum(len(step["runs"]) for step in night["steps"])
    seconds = time.monotonic() - began
    print(f"{day!s:<12}{finished.returncode:>5}{runs:>6}{seconds:>9.0f}  {night['headline']}")
    for alarm in night["alarms"]:
        print(f"{'':<34}{alarm['alarm_id']} {alarm['state']}: {_name(alarm)}", flush=True)
    if night["exit_code"] != finished.returncode:
        raise SystemExit(f"night {number}: the document says {night['exit_code']}")
    return night


def _name(alarm: dict) -> str:
    series = alarm["series"]
    figure = f"{series['metric']} of {series['scope']} in {series['step']}"
    return f"{figure} {alarm['change_share']:+.1%} since {alarm['since_night']}"


def _named(night: dict) -> bool:
    """Whether it names step, figure and night of the change."""
    first = str(FIRST + timedelta(days=SLOWED - 1))
    return any(
        alarm["state"] == "confirmed"
        and alarm["since_night"] == first
        and alarm["series"]["step"] == "shop"
        and alarm["series"]["scope"] == "GET /orders"
        for alarm in night["alarms"]
    )


def _accept(folder: Path, environment: Mapping[str, str], night_id: str) -> None:
    """The alarms, and all other figures of the night of the deploy: costs follow latencies."""
    for what in (["--all"], [night_id, "--series", "all"]):
        accept = [
            str(BIN / "reports"), "history", "accept", "nightly.yaml", *what, "--history",
            "history", "--reason", "orders are checked for fraud now", "-q",
        ]  # fmt: skip
        subprocess.run(accept, cwd=folder, env=environment, timeout=60, check=True)


if __name__ == "__main__":
    sys.exit(main())
