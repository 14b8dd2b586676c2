"""`tune compare`: whole comparisons of two runs."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from core.console import Console
from core.errors import ExitCode, InputError
from reports.compare_document import CompareDocument
from tests.tuner.compare_rig import changed, cold, on_disk, steady, tuning
from tests.tuner.factories import failed, sample
from tuner.cli import main
from tuner.compare.command import CompareOptions, compare
from tuner.compare.comparison import compare_tunings
from tuner.compare.tunings import Tuning
from tuner.sample import Sample

# A run that takes the fewest samples that have an interval.
SIZES = (256, 512, 1024, 1769)


@cache
def before() -> Tuning:
    return tuning([*steady(n=5, sizes=SIZES), *cold(dict.fromkeys(SIZES, 200.0))])


@cache
def after(slower: float = 1.0) -> Tuning:
    samples = steady(slower, seed=2, n=5, sizes=SIZES)
    return tuning([*samples, *cold(dict.fromkeys(SIZES, 205.0))], "abcdef012345")


def compared(second: Tuning, first: Tuning | None = None) -> CompareDocument:
    return compare_tunings(first or before(), second, 0.03)


def fewer(samples: list[Sample]) -> list[Sample]:
    """Without those of one size."""
    return [item for item in samples if item.memory_mb != 512]


@pytest.mark.parametrize(
    ("slower", "code", "duration", "cost"),
    [
        pytest.param(1.0, ExitCode.PASS, "same", "same", id="as before"),
        pytest.param(1.1, ExitCode.FAILED, "slower", "dearer", id="ten per cent slower"),
        pytest.param(0.8, ExitCode.PASS, "faster", "cheaper", id="faster"),
    ],
)
def test_a_change_of_durations_is_judged(
    slower: float, code: ExitCode, duration: str, cost: str
) -> None:
    document = compared(after(slower))

    assert document.exit_code == code
    assert document.duration is not None
    assert document.cost is not None
    assert (document.duration.verdict, document.cost.verdict) == (duration, cost)
    assert document.duration.ratio == pytest.approx(slower, abs=0.02)
    assert [size.memory_mb for size in document.sizes] == list(SIZES)
    assert {size.duration.verdict for size in document.sizes} == {duration}


def test_the_fee_of_a_call_makes_costs_change_by_less_than_durations() -> None:
    document = compared(after(1.1))

    smallest = document.sizes[0]
    assert 1 < smallest.cost.ratio < smallest.duration.ratio


def test_the_sizes_in_use_and_recommended_are_judged() -> None:
    document = compared(after(1.1))

    assert [(size.memory_mb, size.roles) for size in document.judged] == [
        (512, ["in use"]),
        (1769, ["recommended"]),
    ]
    assert document.errors == [
        "512\u00a0MB (in use) got slower and dearer",
        "1,769\u00a0MB (recommended) got slower and dearer",
    ]


def test_too_few_and_too_noisy_samples_cannot_tell() -> None:
    noisy = tuning(steady(1.06, seed=4, n=2, sizes=SIZES, noise=0.3), "abcdef012345")

    document = compared(noisy)

    assert document.exit_code == ExitCode.INCONCLUSIVE
    assert "cannot be told" in document.errors[0]


def test_a_wide_tolerance_lets_a_change_pass() -> None:
    assert compare_tunings(before(), after(1.1), 0.2).exit_code == ExitCode.PASS


def test_a_size_that_only_one_run_measured_is_estimated_and_said() -> None:
    document = compared(tuning(fewer(list(after(1.1).samples)), "abcdef012345"))

    (in_use, *_) = document.judged
    assert (in_use.memory_mb, in_use.measured) == (512, False)
    assert in_use.duration is not None
    assert in_use.duration.ratio == pytest.approx(1.1, abs=0.03)
    assert any("only one run measured it: 512" in note for note in document.notes)


def test_without_a_common_size_nothing_is_told() -> None:
    other = tuning(steady(n=5, sizes=(128, 3008)), "abcdef012345")

    document = compared(other)

    assert document.exit_code == ExitCode.INCONCLUSIVE
    assert document.sizes == []
    assert document.duration is None
    assert "no size was measured by both runs" in document.errors[0]


def test_a_size_in_use_that_began_to_fail_is_a_regression() -> None:
    samples = [*fewer(list(after().samples)), *[failed(512, "Runtime.OutOfMemory")] * 3]

    document = compared(tuning(samples, "abcdef012345"))

    assert document.exit_code == ExitCode.FAILED
    assert document.errors == ["512\u00a0MB (in use) fails now: out of memory (3 of 3 calls)"]
    assert document.failures.newly_failing == {512: "out of memory (3 of 3 calls)"}


def test_a_size_that_failed_before_cannot_get_worse() -> None:
    samples = [*fewer(list(before().samples)), *[failed(512, "Runtime.OutOfMemory")] * 3]

    document = compared(after(), tuning(samples))

    assert document.exit_code == ExitCode.PASS
    assert document.failures.no_longer_failing == [512]


@pytest.mark.parametrize(
    ("failures", "verdict"),
    [
        pytest.param(1, "cannot be told", id="one is chance"),
        pytest.param(8, "more", id="eight are not"),
    ],
)
def test_more_failed_calls_are_told_from_chance(failures: int, verdict: str) -> None:
    samples = [*after().samples, *[failed(1024, "ValueError")] * failures]
    second = changed(tuning(samples, "abcdef012345"), sizes=before().document.model_dump()["sizes"])

    document = compared(second)

    assert document.failures.after_failed == failures
    assert document.failures.verdict == verdict
    assert compared(before(), second).failures.verdict == verdict.replace("more", "fewer")


def test_cold_starts_are_compared_by_their_pairs() -> None:
    slow = tuning([*steady(n=5, sizes=SIZES), *cold(dict.fromkeys(SIZES, 500.0))], "abcdef012345")

    assert (same := compared(after()).starts) is not None
    assert (slower := compared(slow).starts) is not None
    assert same.start is not None
    assert slower.start is not None
    assert (same.sizes, same.start.verdict) == (4, "cannot be told")
    assert (slower.before_ms, slower.after_ms, slower.start.verdict) == (200, 500, "slower")


class TestChoices:
    """The recommendations of two runs."""

    def waiting(self, seed: int, run_id: str, noise: float = 0.01) -> Tuning:
        """A function that memory does not make faster: the smallest size is the cheapest."""
        samples = [
            sample(item.memory_mb, 60 + 20 * ((item.duration_ms or 0) % 1) * noise)
            for item in steady(seed=seed, n=5, sizes=SIZES)
        ]
        return tuning(samples, run_id)

    def test_the_same_size_is_the_same(self) -> None:
        choice = compared(after()).choice

        assert choice is not None
        assert (choice.verdict, choice.before_mb, choice.after_mb) == ("same", 1769, 1769)
        assert choice.old_cost is None

    def test_another_size_that_each_run_shows_to_be_better_is_a_change(self) -> None:
        first = self.waiting(1, "0123456789ab")
        steep = [sample(s, ms + i / 10) for s, ms in _STEEP.items() for i in range(5)]

        choice = compared(tuning(steep, "abcdef012345"), first).choice

        assert choice is not None
        assert (choice.before_mb, choice.after_mb, choice.verdict) == (256, 1769, "changed")
        assert choice.old_cost is not None
        assert choice.old_cost.verdict == "dearer"
        assert choice.old_cost.ratio == pytest.approx(256 * 2000 / (1769 * 100), rel=0.1)

    def test_a_size_that_ties_is_no_change(self) -> None:
        second = after()
        taken = second.document.recommendation
        assert taken is not None
        other = {"memory_mb": 1024, "tied_mb": [512, 1024, 1769]}

        choice = compared(changed(second, recommendation=other)).choice

        assert choice is not None
        assert choice.verdict == "cannot be told"
        assert choice.old_cost is not None
        assert choice.old_cost.ratio == pytest.approx(1, abs=0.03)

    def test_what_the_earlier_run_left_open_is_no_change_of_the_function(self) -> None:
        first = changed(before(), recommendation={"memory_mb": 1024, "tied_mb": [1024, 1769]})
        second = changed(after(), recommendation={"tied_mb": [1769]})

        choice = compared(second, first).choice

        assert choice is not None
        assert choice.verdict == "surer"

    def test_other_objectives_are_other_questions(self) -> None:
        choice = compared(changed(after(), recommendation={"objective": "speed"})).choice

        assert choice is not None
        assert choice.verdict == "not compared"

    def test_without_a_recommendation_there_is_nothing_to_compare(self) -> None:
        assert compared(changed(after(), recommendation=None)).choice is None


_STEEP = {256: 2000.0, 512: 600.0, 1024: 220.0, 1769: 100.0}


@pytest.mark.parametrize(
    ("parts", "what", "comparable"),
    [
        pytest.param({"function": {"code_sha256": "other"}}, "code", True, id="code"),
        pytest.param(
            {"function": {"settings_fingerprint": "other"}}, "settings", True, id="settings"
        ),
        pytest.param({"function": {"name": "other"}}, "function", True, id="another function"),
        pytest.param(
            {"function": {"name": "other", "arn": "other", "settings_fingerprint": "other"}},
            "function",
            True,
            id="settings of another function",
        ),
        pytest.param({"function": {"runtime": "python3.14"}}, "runtime", True, id="runtime"),
        pytest.param({"function": {"region": "eu-west-1"}}, "region", True, id="region"),
        pytest.param({"function": {"account": "2"}}, "account", True, id="account"),
        pytest.param({"function": {"arch": "arm64"}}, "architecture", True, id="architecture"),
        pytest.param({"function": {"timeout_s": 9}}, "timeout", True, id="timeout"),
        pytest.param({"current": {"memory_mb": 1024}}, "memory in use", True, id="memory"),
        pytest.param({"provenance": {"payload_sha256": "other"}}, "payload", True, id="payload"),
        pytest.param({"provenance": {"parallel": 4}}, "sizes invoked at once", True, id="parallel"),
        pytest.param({"provenance": {"tool_version": "9"}}, "toolkit", True, id="toolkit"),
        pytest.param({"prices": {"request_usd": 1.0}}, "prices", True, id="prices"),
        pytest.param({"recommendation": {"objective": "speed"}}, "objective", True, id="goal"),
        pytest.param({"verdict": "invalid"}, "verdict", False, id="invalid"),
        pytest.param(
            {"provenance": {"endpoint": "http://127.0.0.1:1"}}, "where it ran", False, id="sandbox"
        ),
    ],
)
def test_what_else_differs_is_said(parts: dict[str, Any], what: str, *, comparable: bool) -> None:
    first = changed(before(), function={"account": "1"})
    second = changed(after(), **{"function": {"account": "1"}, **_with_account(parts)})

    document = compared(second, first)

    assert [(found.what, found.comparable) for found in document.differences] == [
        (what, comparable)
    ]
    assert (document.exit_code == ExitCode.INCONCLUSIVE) is not comparable


def _with_account(parts: dict[str, Any]) -> dict[str, Any]:
    function = {"account": "1", **parts.get("function", {})}
    return {**parts, "function": function}


def test_a_new_price_alone_makes_nothing_dearer() -> None:
    dearer = changed(after(), prices={"gb_second_usd": 0.0001})

    document = compared(dearer)

    assert document.cost is not None
    assert document.cost.verdict == "same"


def test_the_other_architecture_costs_what_it_costs() -> None:
    price = before().document.prices.gb_second_usd
    arm = changed(after(), function={"arch": "arm64"}, prices={"gb_second_usd": 0.8 * price})

    document = compared(arm)

    assert document.cost is not None
    assert document.duration is not None
    assert document.duration.verdict == "same"
    assert document.cost.verdict == "cheaper"


def test_an_older_second_run_and_a_stopped_one_are_noted() -> None:
    second = changed(
        after(), verdict="interrupted", provenance={"started_utc": "2025-01-01T00:00:00+00:00"}
    )

    notes = compared(second).notes

    assert any("older" in note for note in notes)
    assert any("second run was stopped" in note for note in notes)


def ran(
    first: Path, second: Path, capsys: pytest.CaptureFixture[str], *, json_output: bool, **more: Any
) -> tuple[ExitCode, str]:
    options = CompareOptions(first, second, more.pop("tolerance", "3%"), **more)
    code = compare(options, Console(json_output=json_output, verbosity=-1))
    return code, capsys.readouterr().out


def test_the_command_shows_writes_and_ends_with_the_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = on_disk(before(), tmp_path / "a"), on_disk(after(1.1), tmp_path / "b")
    exports = tuple(f"{kind}={tmp_path / f'c.{kind}'}" for kind in ("html", "md", "json"))

    code, out = ran(first, second / "result.json", capsys, json_output=True, exports=exports)

    assert code == ExitCode.FAILED
    document = json.loads(out)
    assert (document["kind"], document["verdict"], document["exit_code"]) == (
        "tune-compare",
        "fail",
        3,
    )
    assert (tmp_path / "c.json").read_text() == out
    assert "Regression" in (tmp_path / "c.md").read_text()
    assert "Content-Security-Policy" in (tmp_path / "c.html").read_text()


def test_the_answer_says_what_differs_first_and_its_table_has_80_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = on_disk(before(), tmp_path / "a")
    second = on_disk(changed(after(1.1), function={"code_sha256": "new"}), tmp_path / "b")

    code, out = ran(first, second, capsys, json_output=False)

    assert code == ExitCode.FAILED
    assert out.index("code: sha -> new") < out.index("Regression:") < out.index("By memory size")
    table = out[out.index("By memory size") :].splitlines()
    assert max(len(line) for line in table) <= 80
    assert any("slower, dearer" in line for line in table)


def test_the_same_run_twice_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = on_disk(before(), tmp_path / "a")

    with pytest.raises(InputError, match=r"expected two runs \(both are run 0123456789ab\)"):
        ran(run, run, capsys, json_output=False)


def test_a_run_without_samples_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = on_disk(before(), tmp_path / "a"), on_disk(after(), tmp_path / "b")
    (second / "samples.ndjson").unlink()

    with pytest.raises(InputError, match=r"b: expected a run with samples"):
        ran(first, second, capsys, json_output=False)


def test_an_export_that_a_comparison_does_not_have_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = on_disk(before(), tmp_path / "a"), on_disk(after(), tmp_path / "b")
    exports = (f"csv={tmp_path / 'c.csv'}",)

    with pytest.raises(InputError, match=r"--export csv=.*: must be one of html=PATH"):
        ran(first, second, capsys, json_output=False, exports=exports)


def test_the_command_line_leads_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = on_disk(before(), tmp_path / "a"), on_disk(after(1.1), tmp_path / "b")
    words = ["tune", "compare", str(first), str(second), "--tolerance", "0.2", "--json", "-q"]
    monkeypatch.setattr(sys, "argv", words)

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == ExitCode.PASS
    assert json.loads(capsys.readouterr().out)["tolerance_share"] == 0.2
