"""Versions that answered the same step are put beside each other, with intervals that hold."""

from __future__ import annotations

import numpy as np
import pytest

from loadgen.outcome import OK, Kind, Outcome
from loadgen.records import RECORD, Records
from loadgen.steps import StepInfo
from loadgen.telemetry.traces import CANARY, NO_CANARY, Traces, empty_traces
from loadgen.versions import difference, p95_estimate, share_estimate, version_report
from reports.load_versions import VersionReport, difference_sentence, versions_table

STEPS = (StepInfo(0, "all", "GET /x", "GET", "/x"), StepInfo(1, "all", "GET /y", "GET", "/y"))
BROKEN = Kind(Outcome.SERVER_ERROR).code
REFUSED = Kind(Outcome.THROTTLED).code
SPACE = "\N{NO-BREAK SPACE}"


def rows(
    count: int, version: str, *, failed: int = 0, ms: float = 100.0, phase: int = 0, step: int = 0
) -> tuple[Records, Traces]:
    """Requests of one version; service times are spread evenly around `ms`, by half of it."""
    records, traces = np.zeros(count, RECORD), empty_traces(count)
    records["phase"], records["step"] = phase, step
    records["service_us"] = np.linspace(ms * 500, ms * 1500, count)
    records["kind"][:failed] = BROKEN
    traces["version"] = version.encode()
    traces["has_report"] = bool(version)
    traces["duration_ms"] = ms / 2 if version else np.nan
    traces["init_ms"][:1] = 300.0
    return records, traces


def report(*parts: tuple[Records, Traces]) -> VersionReport | None:
    records = np.concatenate([one for one, _ in parts])
    traces = np.concatenate([one for _, one in parts])
    return version_report(records, records["kind"], traces, STEPS, {0})


def test_each_version_has_its_outcomes_and_times() -> None:
    found = report(rows(900, "7", failed=9), rows(100, "8", failed=20, ms=200), rows(50, ""))

    assert found is not None
    old, new = found.versions
    assert (old.version, old.requests, old.failed, old.cold, old.known_starts) == (
        *("7", 900, 9),
        *(1, 900),
    )
    assert (new.version, new.failed, new.handler_p95_ms) == ("8", 20, 100.0)
    assert (found.unknown, found.requests) == (50, 1050)


def test_a_worse_version_is_told_with_intervals() -> None:
    found = report(rows(900, "7", failed=9), rows(300, "8", failed=60, ms=200))
    assert found is not None
    (one,) = found.differences

    assert (one.version, one.beside) == ("8", "7")
    assert (one.failed_verdict, one.p95_verdict) == ("more", "slower")
    assert one.failed_share == pytest.approx(0.19)
    assert one.failed_share_low is not None
    assert one.failed_share_high is not None
    assert 0.14 < one.failed_share_low < 0.19 < one.failed_share_high < 0.25


def test_versions_that_are_alike_cannot_be_told_apart() -> None:
    found = report(rows(900, "7", failed=9), rows(100, "8", failed=1))
    assert found is not None
    (one,) = found.differences

    assert (one.failed_verdict, one.p95_verdict) == ("cannot be told apart",) * 2
    sentence = difference_sentence(one)
    assert sentence.startswith(
        "GET /x, version 8 beside version 7: failures cannot be told apart ("
    )
    assert f"{SPACE}ms)" in sentence


def test_too_few_are_not_compared() -> None:
    found = report(rows(900, "7"), rows(5, "8", failed=5))
    assert found is not None
    (one,) = found.differences

    assert (one.failed_verdict, one.p95_verdict) == ("too few", "too few")
    assert difference_sentence(one).endswith(
        "too few requests to compare failures; too few ok requests to compare p95"
    )


@pytest.mark.parametrize(
    "parts",
    [
        [rows(100, "7")],
        [rows(100, "")],
        [rows(100, "7"), rows(100, "8", phase=1)],
        [rows(100, "7"), rows(100, "8", step=1)],
    ],
    ids=["one version", "no logs", "another in a phase that does not count", "of another step"],
)
def test_there_is_nothing_to_put_beside(parts: list[tuple[Records, Traces]]) -> None:
    assert report(*parts) is None


def with_canary(part: tuple[Records, Traces], canary: int) -> tuple[Records, Traces]:
    part[1]["canary"] = canary
    return part


@pytest.mark.parametrize(
    ("old", "new", "labels"),
    [("7", "8", ["stage, version 7", "canary, version 8"]), ("", "", ["stage", "canary"])],
    ids=["with versions", "of a deployment alone"],
)
def test_the_canary_of_a_stage_is_put_beside_it(old: str, new: str, labels: list[str]) -> None:
    found = report(
        with_canary(rows(900, old), NO_CANARY),
        with_canary(rows(100, new, failed=30), CANARY),
        rows(20, "7"),
    )

    assert found is not None
    assert [one.version for one in found.versions] == labels
    assert found.differences[0].failed_verdict == "more"
    # A version alone does not tell who called it.
    assert found.unknown == 20


def test_requests_without_a_version_are_no_version_of_their_own() -> None:
    # Calls that Lambda refused, or whose REPORT line is late.
    lost = with_canary(rows(20, "", failed=20), NO_CANARY)
    canary = with_canary(rows(50, "9"), CANARY)
    seven, eight = (with_canary(rows(n, name), NO_CANARY) for n, name in ((80, "7"), (70, "8")))

    of_one, of_several = report(seven, lost, canary), report(seven, eight, lost, canary)

    assert of_one is not None
    assert of_several is not None
    assert [(one.version, one.requests) for one in of_one.versions] == [
        ("stage", 100),
        ("canary, version 9", 50),
    ]
    assert [(one.version, one.failed) for one in of_several.versions] == [
        ("stage, version 7", 0),
        ("stage, version 8", 0),
        ("canary, version 9", 0),
    ]
    assert (of_one.unknown, of_several.unknown) == (0, 20)


def test_what_was_throttled_is_no_failure() -> None:
    records, traces = rows(100, "7")
    records["kind"][:50] = REFUSED

    found = report((records, traces), rows(100, "8"))

    assert found is not None
    assert [one.failed for one in found.versions] == [0, 0]
    assert found.differences[0].p95_verdict == "too few"


def test_a_page_has_a_row_for_each_version() -> None:
    found = report(rows(900, "7"), rows(100, "8"), rows(10, ""))
    assert found is not None
    table = versions_table(found)

    assert [row.cells[:2] for row in table.rows] == [["GET /x", "7"], ["GET /x", "8"]]
    assert table.notes[-1] == (f"The version of 10 of 1,010 requests is not known (1.0{SPACE}%).")


def test_the_interval_of_two_shares_is_that_of_the_literature() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table II, method 10: 56/70 less 48/80."""
    found = difference(share_estimate(56, 70), share_estimate(48, 80))

    assert found.low == pytest.approx(0.0524, abs=1e-4)
    assert found.high == pytest.approx(0.3339, abs=1e-4)


@pytest.mark.parametrize("counts", [(100, 1000), (400, 2000)], ids=["few", "many"])
def test_intervals_of_p95_hold_the_truth_as_often_as_they_say(counts: tuple[int, int]) -> None:
    """Log-normal latencies, of which the second version's are 1.3 times as long."""
    rng = np.random.default_rng(11)
    truth = np.exp(0.5 * 1.644854) * (1.3 - 1.0)

    held = 0
    for _ in range(400):
        old, new = (np.sort(rng.lognormal(0, 0.5, count)) for count in reversed(counts))
        found = difference(p95_estimate(new * 1.3), p95_estimate(old))
        held += found.low <= truth <= found.high

    assert 0.92 <= held / 400 <= 0.995


def test_a_rate_of_ok_answers_is_of_the_kinds_that_evidence_gave() -> None:
    records, traces = rows(200, "7")
    more, other = rows(200, "8")
    both = np.concatenate([records, more])
    kinds = both["kind"].copy()
    kinds[:40] = BROKEN

    found = version_report(both, kinds, np.concatenate([traces, other]), STEPS, {0})

    assert found is not None
    assert (both["kind"] == OK.code).all()
    assert sorted(one.failed for one in found.versions) == [0, 40]
