"""`tune analyze` on an adaptive run: the whole curve is believed again, from the same samples."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.aws.prices import bundled_prices
from core.errors import ExitCode, InputError
from reports.run_folder import write_document
from tests.tuner.test_analyze import TARGET, again
from tests.tuner.tuning_rig import CANDIDATES, PRICE, Curve, answers, mixed, stepped
from tuner.analysis import Question, analyse
from tuner.effort import DEFAULT
from tuner.facts import RunFacts
from tuner.payload import Payload
from tuner.payload_mix import PayloadMix
from tuner.plan import AdaptivePlan
from tuner.result import build_document
from tuner.sample import Sample, SampleFile
from tuner.usage import Usage

SEED = 5


def a_run(folder: Path, samples: list[Sample], *, usage: Usage | None = None) -> Path:
    """An adaptive run on disk, as `tune` leaves it."""
    facts = RunFacts(
        run_id="0123456789ab",
        target=TARGET,
        plan=AdaptivePlan(CANDIDATES, DEFAULT, 512, "adaptive", 1, SEED),
        payloads=PayloadMix.of(Payload(b"{}")),
        price=PRICE,
        price_table=bundled_prices(),
        region="us-east-1",
        account=None,
        endpoint=None,
        command=["tune", "orders"],
        started=datetime(2026, 1, 1, tzinfo=UTC),
        usage=usage or Usage(),
        refused_sizes={3008: "the account is capped"},
    )
    question = Question(
        goal=facts.goal,
        current_mb=512,
        price=PRICE,
        storage_mb=512,
        seed=SEED,
        candidates_mb=facts.candidates_mb,
        usage=facts.usage,
        runtime=TARGET.runtime,
    )
    answer = analyse(samples, facts.table_mb(samples), dict(facts.refused_sizes), question)
    with SampleFile(folder) as file:
        for item in samples:
            file.append(item)
    write_document(folder, build_document(facts, samples, answer))
    return folder


def tuned(curve: Curve = mixed) -> list[Sample]:
    """The first look of a tuning: three sizes, each cold and warm."""
    answer, samples = answers(curve, scale=0.01), list[Sample]()
    for size in (128, 512, 1024) * 4:
        samples.append(answer(size, samples))
    return samples


def result_of(run: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((run / "result.json").read_text())
    return document


def test_asked_the_same_the_answer_is_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = result_of(a_run(tmp_path, tuned()))
    changed = ("notes", "provenance")

    code, document = again(tmp_path, capsys)

    assert code == ExitCode.PASS
    assert {key: document[key] for key in document if key not in changed} == {
        key: before[key] for key in before if key not in changed
    }
    for told in (before, document):
        assert told["provenance"]["candidates_mb"] == list(CANDIDATES)
        assert told["provenance"]["plan"] == "adaptive"
        assert told["sizes"][-1]["failure"] == "the account is capped"


def test_another_objective_is_answered_from_the_whole_curve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(tmp_path, tuned())

    _, cheap = again(run, capsys)
    _, fast = again(run, capsys, objective="speed")
    _, knee = again(run, capsys, knee="10%")

    small, large, between = (told["recommendation"]["memory_mb"] for told in (cheap, fast, knee))
    assert small <= between <= large
    assert small < large
    assert fast["recommendation"]["regret_share"] is not None


def test_a_limit_that_few_samples_cannot_show_is_inconclusive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = again(a_run(tmp_path, tuned()), capsys, slo="p95 < 1s")

    assert (code, document["verdict"]) == (ExitCode.INCONCLUSIVE, "inconclusive")
    assert document["slo"]["verdict"] == "not separable"
    assert document["recommendation"] is None


def test_cold_calls_and_months_can_be_asked_for_afterwards(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(tmp_path, tuned())

    _, document = again(run, capsys, cold_share="5%", requests_per_month="1M")

    assert result_of(run)["cold"] is None
    assert document["cold"]["cold_share"] == 0.05
    assert document["monthly"]["requests_per_month"] == 1e6


def test_a_note_of_the_answer_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    restored = [
        replace(sample, init_ms=None, restore_ms=300.0) if sample.cold else sample
        for sample in tuned()
    ]
    run = a_run(tmp_path, restored, usage=Usage(cold_share=0.05, cold_source="given"))

    _, document = again(run, capsys, cold_share="5%")

    assert sum("SnapStart restore" in note for note in document["notes"]) == 1


def test_samples_that_were_added_by_hand_are_shown_and_do_not_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = tuned(stepped)
    run = a_run(tmp_path, samples)
    with SampleFile(run) as file:
        for _ in range(3):
            file.append(replace(samples[-1], memory_mb=333, cold=False, duration_ms=0.02))

    _, document = again(run, capsys)

    row = next(size for size in document["sizes"] if size["memory_mb"] == 333)
    assert (row["n"], row["cost_usd_per_million"]) == (3, None)
    assert document["recommendation"] == result_of(run)["recommendation"]


@pytest.mark.parametrize("candidates", [[0, 128], [-5, 512]])
def test_candidates_that_are_no_sizes_are_named(
    candidates: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(tmp_path, tuned())
    document = result_of(run)
    document["provenance"]["candidates_mb"] = candidates
    (run / "result.json").write_text(json.dumps(document))

    with pytest.raises(InputError, match=r"provenance\.candidates_mb: expected sizes in MB \(got"):
        again(run, capsys)
