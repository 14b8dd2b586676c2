"""The document of a tuning, with what became of the other function beside it."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import ExitCode
from reports.document import Verdict
from tests.reports.adaptive_documents import month
from tests.reports.documents import cpu_bound
from tests.tuner.test_arch import COST, side, slower, taken
from tests.tuner.test_arch import cpu_bound as cpu_bound_ms
from tuner.answering import Answered
from tuner.arch_document import with_other, without_other

LEFT = "version 7 is left"


def answered(arch: Any, *, n: int = 10, seed: int = 1, **changed: Any) -> Answered:
    law = slower(1.05) if arch == "arm64" else cpu_bound_ms
    found = side(arch, taken(law, n=n, seed=seed))
    document = cpu_bound()
    function = document.function.model_copy(update={"arch": arch, "name": found.function})
    return Answered(document.model_copy(update={"function": function, **changed}), found.answer)


def ended(verdict: Verdict, code: ExitCode, *errors: str) -> dict[str, Any]:
    return {"verdict": verdict, "exit_code": int(code), "errors": list(errors)}


PASS = ended("pass", ExitCode.PASS)
STOPPED = ended("interrupted", ExitCode.INTERRUPTED, "stopped before the plan was done")


@pytest.mark.parametrize(
    ("own", "theirs", "expected", "compared"),
    [
        pytest.param(PASS, PASS, PASS, True, id="both pass"),
        pytest.param(
            PASS,
            ended("inconclusive", ExitCode.INCONCLUSIVE, "too noisy"),
            PASS,
            True,
            id="the other is unsure of its own size: the intervals say so",
        ),
        pytest.param(
            PASS,
            STOPPED,
            ended(
                "interrupted",
                ExitCode.INTERRUPTED,
                "orders-arm64 (arm64): stopped before the plan was done",
            ),
            True,
            id="the other was stopped",
        ),
        pytest.param(
            PASS,
            ended("pass", ExitCode.ERROR, LEFT),
            ended("pass", ExitCode.ERROR, f"orders-arm64 (arm64): {LEFT}"),
            True,
            id="something is left on the other",
        ),
        pytest.param(
            PASS,
            ended("invalid", ExitCode.INVALID, "all lost"),
            ended(
                "inconclusive",
                ExitCode.INCONCLUSIVE,
                "x86_64 and arm64 are not compared: the measurement of orders-arm64 (arm64) is "
                "invalid",
            ),
            False,
            id="the other is invalid",
        ),
        pytest.param(
            PASS,
            ended("invalid", ExitCode.REFUSED, "was changed"),
            ended(
                "inconclusive",
                ExitCode.REFUSED,
                "x86_64 and arm64 are not compared: the measurement of orders-arm64 (arm64) is "
                "invalid",
                "orders-arm64 (arm64): was changed",
            ),
            False,
            id="the other was changed by somebody else",
        ),
        pytest.param(
            ended("fail", ExitCode.FAILED, "no size keeps"),
            PASS,
            ended("fail", ExitCode.FAILED, "no size keeps"),
            True,
            id="no size of the first keeps a limit",
        ),
        pytest.param(STOPPED, STOPPED, STOPPED, True, id="another look at a stopped run"),
        pytest.param(
            ended("invalid", ExitCode.INVALID, "all lost"),
            PASS,
            ended("invalid", ExitCode.INVALID, "all lost"),
            False,
            id="the first is invalid",
        ),
    ],
)
def test_what_went_wrong_with_the_other_is_told_and_the_answer_of_the_first_stays(
    own: dict[str, Any], theirs: dict[str, Any], expected: dict[str, Any], *, compared: bool
) -> None:
    first, other = answered("x86_64", **own), answered("arm64", seed=2, **theirs)

    document = with_other(first, other, COST)

    shown = {key: getattr(document, key) for key in expected}
    assert shown == expected
    assert (document.arch is not None) == compared
    assert document.recommendation == first.document.recommendation


def test_what_both_cost_is_spent_and_has_to_be_paid_back() -> None:
    first = answered("x86_64", monthly=month())
    other = answered("arm64", seed=2)

    document = with_other(first, other, COST)

    before = month().break_even_requests
    assert before is not None
    assert document.spent.invocations == 2 * first.document.spent.invocations
    assert document.spent.usd == pytest.approx(2 * first.document.spent.usd)
    assert document.monthly is not None
    assert document.monthly.break_even_requests == pytest.approx(2 * before)


def test_another_look_says_nothing_twice_and_drops_what_no_longer_holds() -> None:
    first, other = answered("x86_64", **PASS), answered("arm64", n=2, seed=2, **PASS)
    few = with_other(first, other, COST)
    assert few.verdict == "inconclusive"

    again = Answered(few.model_copy(update=PASS), first.answer)
    mended = with_other(again, answered("arm64", seed=2, **PASS), COST)

    assert mended.verdict == "pass"
    assert [note for note in mended.notes if "not compared" in note] == []
    assert len(set(mended.notes)) == len(mended.notes)


@pytest.mark.parametrize(
    ("own", "code", "stopped", "expected"),
    [
        pytest.param(
            PASS,
            ExitCode.REFUSED,
            False,
            ended("inconclusive", ExitCode.REFUSED, "why"),
            id="the other refused",
        ),
        pytest.param(
            PASS,
            ExitCode.TERMINATED,
            True,
            ended("interrupted", ExitCode.TERMINATED, "why"),
            id="stopped between the two",
        ),
        pytest.param(
            ended("fail", ExitCode.FAILED, "no size keeps"),
            ExitCode.INCONCLUSIVE,
            False,
            ended("fail", ExitCode.FAILED, "why", "no size keeps"),
            id="no size of the first keeps a limit",
        ),
        pytest.param(
            ended("pass", ExitCode.ERROR, LEFT),
            ExitCode.INCONCLUSIVE,
            False,
            ended("inconclusive", ExitCode.ERROR, "why", LEFT),
            id="something is left on the first: it stays the last error",
        ),
        pytest.param(STOPPED, ExitCode.INTERRUPTED, True, STOPPED, id="the first was stopped"),
    ],
)
def test_where_the_other_was_not_measured_the_document_says_why(
    own: dict[str, Any], code: ExitCode, expected: dict[str, Any], *, stopped: bool
) -> None:
    document = without_other(answered("x86_64", **own).document, "why", code, stopped=stopped)

    assert {key: getattr(document, key) for key in expected} == expected
    assert "why" in [*document.errors, *document.notes]
