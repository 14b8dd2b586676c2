"""Verdicts, the bill, and what of the command line is recorded."""

from __future__ import annotations

import re

import pytest

from core.aws.prices import bundled_prices
from core.errors import ExitCode
from reports.document import Budget, Trial
from tests.tuner.factories import drawn, failed, lost, sample
from tests.tuner.test_analysis import ask
from tests.tuner.test_analysis_adaptive import ask as ask_adaptive
from tests.tuner.tuning_rig import saturating, waiting
from tuner.facts import recorded_command
from tuner.objective import Goal, SloLimit
from tuner.result import judge, spent
from tuner.sample import Sample

PRICE = bundled_prices().lambda_price("us-east-1", "x86_64")
TRIAL = Trial(
    memory_mb=512,
    cold=True,
    duration_ms=99.5,
    billed_ms=300.0,
    max_memory_used_mb=60,
    error_type=None,
)
TEN = [*(sample(128) for _ in range(5)), *(sample(512) for _ in range(5))]


@pytest.mark.parametrize(
    ("samples", "verdict", "code", "problem"),
    [
        pytest.param(TEN, "pass", 0, "", id="enough"),
        pytest.param([*TEN, lost(512), lost(512)], "pass", 0, "", id="a fifth lost"),
        pytest.param(
            [*TEN, *[lost(512)] * 4], "invalid", 5, "4 of 14 .* no REPORT", id="more lost"
        ),
        pytest.param(
            [*[*TEN] * 4, *[lost(128), lost(512)] * 3],
            "invalid",
            5,
            "ended early: the last 6 invocations gave no measurement: .* no REPORT",
            id="no answers any more",
        ),
        pytest.param(
            [*[*TEN] * 4, *[lost(128), lost(512)] * 2], "pass", 0, "", id="a few lost at the end"
        ),
        pytest.param([], "invalid", 5, "no invocation was made", id="nothing"),
        pytest.param(
            [sample(128, cold=True), sample(512, cold=True)],
            "invalid",
            5,
            "no call was warm",
            id="only cold",
        ),
        pytest.param([failed(128), failed(128)], "invalid", 5, "timeout", id="all failed"),
        pytest.param(
            [*TEN, failed(128), failed(512)], "inconclusive", 4, "without failing", id="each fails"
        ),
        pytest.param([sample(128)] * 5, "inconclusive", 4, "only one size", id="one size"),
        pytest.param(
            [sample(128), sample(512)],
            "inconclusive",
            4,
            "1 warm sample at .* cannot",
            id="one each",
        ),
    ],
)
def test_the_verdict_is_the_worst_that_applies(
    samples: list[Sample], verdict: str, code: int, problem: str
) -> None:
    found, exit_code, problems = judge(
        samples, ask(samples, sizes=(128, 512)), None, adaptive=False
    )

    assert (found, exit_code) == (verdict, ExitCode(code))
    assert len(problems) == bool(problem)
    assert re.search(problem, " ".join(problems))


def test_what_is_too_few_is_called_by_what_was_measured() -> None:
    samples = [sample(128), sample(512)]

    _, _, problems = judge(
        samples, ask(samples, sizes=(128, 512)), None, adaptive=False, plan="cold"
    )

    assert re.search("1 cold sample at .* cannot", problems[0])


@pytest.mark.parametrize(
    "samples",
    [[sample(128, cold=True), sample(512, cold=True)], [failed(128)], []],
    ids=["only cold", "one failed", "nothing"],
)
def test_a_limit_before_the_first_warm_call_is_no_fault_of_the_measurement(
    samples: list[Sample],
) -> None:
    answer = ask(samples, sizes=(128, 512))

    ended = judge(
        samples, answer, Budget(max_invocations=2, ended_by="max_invocations"), adaptive=True
    )
    unreached = judge(samples, answer, Budget(max_invocations=9), adaptive=True)

    assert ended == (
        "inconclusive",
        ExitCode.INCONCLUSIVE,
        ["no warm call was made within the limit"],
    )
    assert unreached[0] == "invalid"


COST = Goal("cost")
THREE = (128, 512, 1024)
FLAT = drawn(waiting, THREE, n=2, sigma=0.01, seed=1)
SIXTY = drawn(saturating, (*THREE, 1769, 3008), n=60, sigma=0.02, seed=1)


def within(limit_ms: float) -> Goal:
    return Goal("slo", slo=SloLimit(95, limit_ms))


@pytest.mark.parametrize(
    ("samples", "goal", "verdict", "code", "problem"),
    [
        pytest.param(FLAT, COST, "pass", 0, "", id="verified, and surely good"),
        pytest.param(
            [sample(128, 60.0), sample(512, 60.0), sample(1024, 60.0)],
            COST,
            "inconclusive",
            4,
            "1 warm sample at 128 MB does not verify it; allow more",
            id="one call each",
        ),
        pytest.param(
            [sample(size, ms) for size in THREE for ms in (10.0, 1000.0)],
            COST,
            "inconclusive",
            4,
            r"is expected to be [2-9]\d\s% worse than the best size: .*--thorough",
            id="verified, but as good as guessed",
        ),
        pytest.param(
            [sample(512, 60.0)] * 9, COST, "inconclusive", 4, "only one size", id="one size"
        ),
        pytest.param(
            [*[sample(128, 60.0)] * 3, failed(512)],
            COST,
            "inconclusive",
            4,
            "no size ran without failing",
            id="too small, all that were measured",
        ),
        pytest.param(
            [*FLAT, *[lost(512)] * 2],
            COST,
            "invalid",
            5,
            "2 of 8 .* no REPORT",
            id="a quarter lost",
        ),
        pytest.param([failed(128)], COST, "invalid", 5, "timeout", id="nothing measured"),
        pytest.param(SIXTY, within(400), "pass", 0, "", id="a limit that is kept"),
        pytest.param(
            SIXTY,
            within(20),
            "fail",
            3,
            "no size of the run keeps p95 < 20 ms",
            id="one that none keeps",
        ),
        pytest.param(
            FLAT,
            within(90),
            "inconclusive",
            4,
            "neither show .* p95 < 90 ms .* at least 59 at one size",
            id="one of which little is known",
        ),
    ],
)
def test_an_adaptive_answer_passes_when_it_is_verified_and_surely_good(
    samples: list[Sample], goal: Goal, verdict: str, code: int, problem: str
) -> None:
    found, exit_code, problems = judge(samples, ask_adaptive(samples, goal), None, adaptive=True)

    assert (found, exit_code) == (verdict, ExitCode(code))
    assert len(problems) == bool(problem)
    assert re.search(problem, " ".join(problems))


def test_the_bill_counts_every_call_that_was_billed() -> None:
    samples = [
        sample(1024, billed_ms=1000.0),
        sample(1024, billed_ms=500.0, cold=True),
        failed(1024),  # 101 ms billed before it failed
        lost(1024),
    ]

    bill = spent(samples, PRICE, 512, None)
    tried = spent(samples, PRICE, 512, TRIAL)

    assert bill.invocations == 4
    assert bill.unmeasured_invocations == 1
    assert bill.gb_seconds == pytest.approx(1.601)
    assert bill.usd == pytest.approx(1.601 * 0.0000166667 + 3 * 2e-7)
    assert (tried.invocations, tried.unmeasured_invocations) == (5, 1)
    assert tried.gb_seconds == pytest.approx(1.601 + 0.5 * 0.3)
    assert tried.usd == pytest.approx(bill.usd + 0.5 * 0.3 * 0.0000166667 + 2e-7)


@pytest.mark.parametrize(
    ("command", "recorded"),
    [
        (["tune", "f", "--payload", "a.json"], ["tune", "f", "--payload", "a.json"]),
        (["tune", "--payload-json", '{"k": 1}', "f"], ["tune", "--payload-json", "<payload>", "f"]),
        (["tune", '--payload-json={"k": 1}'], ["tune", "--payload-json=<payload>"]),
        (["tune", "--pre", "curl -u me:secret URL"], ["tune", "--pre", "curl <arguments>"]),
        (["tune", "--post=curl -u me:secret URL"], ["tune", "--post=curl <arguments>"]),
        (["tune", "--post=lambda:reset", "f"], ["tune", "--post=lambda:reset", "f"]),
        (["tune", "--runs", "odd\udcff"], ["tune", "--runs", "odd\ufffd"]),
        (
            ["tune", "--payload-json", "--payload-json", "f"],
            ["tune", "--payload-json", "<payload>", "f"],
        ),
    ],
)
def test_what_may_be_secret_on_the_command_line_is_not_recorded(
    command: list[str], recorded: list[str]
) -> None:
    assert recorded_command(command) == recorded
