"""`reports nightly` from the command line, over a real sandbox: kept, found, accepted."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from core.aws.session import LocalAccess
from core.local_aws import local_aws
from reports.history.history import History, open_history
from reports.history.record import NightRecord, RunRecord
from tests.system.conftest import Command

pytestmark = pytest.mark.system

STACK = """
name: small
functions:
  orders:
    model:
      duration_ms: {cpu_ms: 1, wait_ms: WAIT}
      noise: {log_sigma: 0.1}
      init_ms: 20
      hold: true
    memory_mb: 512
    timeout_s: 5
apis:
  small:
    kind: http
    routes: [{path: /orders, method: GET, function: orders}]
"""
PROFILE = """
version: 1
name: small
target: {api: {name: small}}
load:
  model: open
  seed: 3
  phases:
    - {name: warm-up, duration: 0.3s, rate: 40, measure: false}
    - {name: steady, duration: 1s, rate: 150}
scenarios: [{name: orders, flow: [{get: /orders}]}]
validity: {max_start_lag: 1s}
"""
PLAN = """
version: 1
name: small
steps:
  - {tune: orders, sizes: [256, 512], samples: 5}
  - {load: small.yaml, name: load, metrics: [p50], budgets: ["GET /orders: errors < 1%"]}
gates: {min_nights: 8, confirm: {reruns: 1}}
"""
FIRST = date(2026, 11, 1)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stack") / "stack.yaml"
    path.write_text(STACK.replace("WAIT", "150"))
    return path


@pytest.fixture(scope="module")
def local_access(stack: Path) -> Iterator[LocalAccess]:
    """A sandbox with the stack."""
    arguments = ["--stack", str(stack), "--no-functions", "--update-ms", "0"]
    with local_aws(arguments) as access:
        yield access


def fill_history(history: History, nights: int) -> None:
    """Nights before the first one, as it was; they differ by 3 %."""
    rng = np.random.default_rng(3)
    past = history.load("small")
    for number in range(nights):
        night_id, sequence = f"before-{number}", number - nights + past.nights[0].sequence
        day = (FIRST - timedelta(days=nights - number)).isoformat()
        names = {"night_id": night_id, "sequence": sequence, "night": day}
        factor = math.exp(rng.normal(0, 0.03))
        for run in past.runs:
            points = [p.model_copy(update={"value": p.value * factor}) for p in run.points]
            sizes = [r.model_copy(update={"billed_ms": r.billed_ms * factor}) for r in run.sizes]
            values = {**names, "run_id": f"{run.run_id}-{number}", "points": points}
            history.append(RunRecord.model_validate(run.model_dump() | values | {"sizes": sizes}))
        history.append(NightRecord.model_validate(past.nights[0].model_dump() | names))


def test_nights_are_kept_and_a_slower_one_is_found_until_it_is_accepted(
    command: Command, stack: Path
) -> None:
    (command.folder / "small.yaml").write_text(PROFILE)
    (command.folder / "nightly.yaml").write_text(PLAN)
    nightly = ("nightly", "nightly.yaml", "--json", "-q")

    first = command.run("reports", *nightly, "--night", FIRST.isoformat())

    assert first.code == 4, first.document["errors"]
    assert {step["verdict"] for step in first.document["steps"]} == {"pass"}
    assert "0 of 8 nights" in first.document["headline"]
    (folder,) = (command.folder / "runs").iterdir()
    cases = ElementTree.parse(folder / "junit.xml").getroot().iter("testcase")  # noqa: S314 # ours
    names = {case.get("name") for case in cases}
    assert {"GET /orders: errors < 1%", "the measurement is valid"} <= names, names
    assert (folder / "report.html").read_text().startswith("<!doctype html>")
    assert json.loads((folder / "badge.json").read_text())["message"].endswith("0/8")

    history = open_history(str(command.folder / "nightly-history"))
    fill_history(history, 11)
    slower = stack.with_name("slower.yaml")
    slower.write_text(STACK.replace("WAIT", "220"))
    assert command.run("sandbox", "deploy", str(slower), "-q").code == 0
    second = command.run("reports", *nightly, "--night", "2026-11-02", "--only", "load")

    assert second.code == 3, second.out + second.err
    (alarm,) = second.document["alarms"]
    assert alarm["series"] == {"step": "load", "scope": "GET /orders", "metric": "p50"}
    assert (alarm["state"], alarm["since_night"]) == ("confirmed", "2026-11-02")
    assert alarm["confirmed_by"].startswith("1 rerun agrees: +")

    accepted = command.run(
        "reports", "history", "accept", "nightly.yaml", "--all", "--reason", "checked twice"
    )
    assert accepted.code == 0, accepted.err
    third = command.run("reports", *nightly, "--night", "2026-11-03", "--only", "load")

    assert third.code == 0, third.out + third.err
    assert third.document["alarms"] == []
