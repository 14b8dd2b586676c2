"""`tune analyze`: the same samples, asked again."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.aws.prices import bundled_prices
from core.console import Console
from core.errors import ExitCode, InputError
from reports.run_folder import write_document
from tests.tuner.factories import drawn
from tests.tuner.test_analysis import SIZES, ask, cpu_bound
from tuner.analyze import AnalyzeOptions, analyze
from tuner.facts import RunFacts
from tuner.payload import Payload
from tuner.payload_mix import PayloadMix
from tuner.plan import FixedPlan
from tuner.result import build_document
from tuner.sample import SampleFile
from tuner.target import Target

TARGET = Target(
    name="orders",
    arn="arn:aws:lambda:us-east-1:123456789012:function:orders",
    memory_mb=512,
    description="",
    timeout_s=30,
    runtime="python3.13",
    arch="x86_64",
    code_sha256="sha",
    revision_id="r",
    storage_mb=512,
    log_format="Text",
    settled=True,
    update_failure=None,
)


def a_run(folder: Path, **ended: Any) -> Path:
    """A run on disk, as `tune` leaves it."""
    samples = drawn(cpu_bound, SIZES, n=5, sigma=0.02, seed=3)
    facts = RunFacts(
        run_id="0123456789ab",
        target=TARGET,
        plan=FixedPlan(SIZES, 5, 1, 1),
        payloads=PayloadMix.of(Payload(b"{}")),
        price=bundled_prices().lambda_price("us-east-1", "x86_64"),
        price_table=bundled_prices(),
        region="us-east-1",
        account=None,
        endpoint=None,
        command=["tune", "orders"],
        started=datetime(2026, 1, 1, tzinfo=UTC),
        **ended,
    )
    with SampleFile(folder) as file:
        for item in samples:
            file.append(item)
    write_document(folder, build_document(facts, samples, ask(samples)))
    return folder


def again(
    run: Path, capsys: pytest.CaptureFixture[str], **changed: Any
) -> tuple[ExitCode, dict[str, Any]]:
    plain: dict[str, Any] = {
        "objective": None,
        "weight": None,
        "slo": None,
        "knee": None,
        "cold_share": None,
        "requests_per_month": None,
        "price_file": None,
        "server_price_file": None,
        "exports": (),
    }
    options = AnalyzeOptions(run=run, **{**plain, **changed})
    code = analyze(options, Console(verbosity=-1, json_output=True))
    return code, json.loads(capsys.readouterr().out)


def test_asked_the_same_the_answer_is_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads((a_run(tmp_path) / "result.json").read_text())
    changed = ("notes", "provenance")

    code, document = again(tmp_path, capsys)

    assert code == ExitCode.PASS
    assert {key: document[key] for key in document if key not in changed} == {
        key: before[key] for key in before if key not in changed
    }


def test_the_command_is_the_one_that_gives_this_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(tmp_path)
    monkeypatch.setattr(sys, "argv", ["tune", "analyze", "RUN", "--objective", "speed"])

    _, document = again(run, capsys, objective="speed")

    assert document["provenance"]["command"] == ["tune", "analyze", "RUN", "--objective", "speed"]
    assert document["notes"] == ["answered again from the samples of: tune orders"]
    assert json.loads((run / "result.json").read_text())["provenance"]["command"] == [
        "tune",
        "orders",
    ]


def test_another_objective_gives_another_answer_and_leaves_the_run_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (a_run(tmp_path) / "result.json").read_bytes()

    _, document = again(tmp_path / "result.json", capsys, objective="balanced", weight=0.25)

    assert document["recommendation"]["objective"] == "balanced"
    assert (tmp_path / "result.json").read_bytes() == before


def test_a_month_is_compared_with_the_machines_of_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(tmp_path)
    own = {
        "date": "2030-01-01",
        "currency": "USD",
        "source": "our contract",
        "ec2_sizes": {"rack.one": {"arch": "x86_64", "vcpu": 64, "memory_gb": 256}},
        "regions": {"us-east-1": {"ec2_hour_usd": {"rack.one": 0.001}}},
    }
    (tmp_path / "own.json").write_text(json.dumps(own))

    _, document = again(
        run, capsys, requests_per_month="3M", server_price_file=tmp_path / "own.json"
    )

    assert [server["name"] for server in document["monthly"]["always_on"]] == ["EC2 rack.one"]
    assert "our contract" in document["monthly"]["always_on_prices"]


def test_other_prices_change_every_cost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = a_run(tmp_path)
    dear = {
        "date": "2030-01-01",
        "regions": {
            "us-east-1": {
                "request_usd_per_million": "0.40",
                "x86_64": [{"from_gb_s": 0, "usd_per_gb_s": "0.0000333334"}],
            }
        },
    }
    (tmp_path / "dear.json").write_text(json.dumps(dear))
    _, cheap = again(run, capsys)

    _, document = again(run, capsys, price_file=tmp_path / "dear.json")

    def costs(document: dict[str, Any]) -> list[float]:
        by_size = [size["cost_usd_per_million"] for size in document["sizes"]]
        return [*by_size, document["current"]["cost_usd_per_million"], document["spent"]["usd"]]

    assert costs(document) == pytest.approx([2 * cost for cost in costs(cheap)])
    assert document["prices"]["table_date"] == "2030-01-01"


@pytest.mark.parametrize(
    ("ended", "verdict", "code"),
    [
        pytest.param({"stop_code": ExitCode.INTERRUPTED}, "interrupted", 130, id="Ctrl-C"),
        pytest.param(
            {"error_code": ExitCode.ERROR, "errors": ["AWS was gone"]}, "invalid", 1, id="an error"
        ),
        pytest.param(
            {"error_code": ExitCode.INVALID, "errors": ["version 7 was invoked but 8 answered"]},
            "invalid",
            5,
            id="an answer of another version",
        ),
        pytest.param(
            {"stop_code": ExitCode.INTERRUPTED, "left_behind": "version 7 is left"},
            "interrupted",
            1,
            id="Ctrl-C, and something left",
        ),
    ],
)
def test_a_run_that_ended_early_stays_one(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    ended: dict[str, Any],
    verdict: str,
    code: int,
) -> None:
    run = a_run(tmp_path, **ended)
    before = json.loads((run / "result.json").read_text())

    exit_code, document = again(run, capsys, objective="speed")

    assert (exit_code, document["verdict"], document["exit_code"]) == (code, verdict, code)
    assert document["errors"]
    assert document["errors"] == before["errors"]


def test_a_whole_measurement_of_which_something_was_left_is_answered_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(tmp_path, left_behind="version 7 is left")
    before = json.loads((run / "result.json").read_text())

    code, document = again(run, capsys, objective="speed")

    for told in (before, document):
        assert (told["verdict"], told["exit_code"]) == ("pass", 1)
        assert told["errors"] == ["version 7 is left"]
    assert code == ExitCode.ERROR


def test_a_run_without_a_price_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = a_run(tmp_path)
    document = json.loads((run / "result.json").read_text())
    document["prices"]["gb_second_usd"] = 0.0
    (run / "result.json").write_text(json.dumps(document))

    with pytest.raises(InputError, match=r"prices\.gb_second_usd: .* above 0 \(got 0\.0\)"):
        again(run, capsys)


def test_a_run_without_samples_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = a_run(tmp_path)
    (run / "samples.ndjson").unlink()

    with pytest.raises(InputError, match=r"samples\.ndjson: could not read the samples"):
        again(run, capsys)
