"""How often a run really runs the function is said before it does."""

from __future__ import annotations

from typing import Any

import pytest

from core.console import Console
from tests.tuner.hook_rig import asked
from tests.tuner.run_rig import tune_options
from tests.tuner.test_view import TARGET
from tuner.options import check_options
from tuner.side_effects import RealRuns, real_runs
from tuner.strategy import make_plan
from tuner.view import warn_of_side_effects


def runs_of(**given: Any) -> RealRuns:
    request = check_options(tune_options("orders", **given))
    return real_runs(make_plan(request, TARGET), request.limits.max_invocations)


@pytest.mark.parametrize(
    ("given", "runs"),
    [
        pytest.param({}, RealRuns(30, 56), id="adaptive, with its trial"),
        pytest.param({"skip_trial": True}, RealRuns(29, 55), id="without"),
        pytest.param({"thorough": True}, RealRuns(121, 401), id="thorough"),
        pytest.param({"max_invocations": 20}, RealRuns(20, 20), id="a limit"),
        pytest.param({"max_usd": 0.001}, RealRuns(30, 56), id="a limit on the bill says nothing"),
        pytest.param({"sizes": "128,512"}, RealRuns(23, 33), id="fixed: repeats"),
        pytest.param(
            {"sizes": "128,512", "max_invocations": 10}, RealRuns(10, 10), id="fixed, a limit"
        ),
        # Four further ones at each of four sizes; some start no environment.
        pytest.param({"cold_samples": 5}, RealRuns(46, 80), id="cold samples"),
        pytest.param({"sizes": "128", "test_run": True}, RealRuns(1, 1), id="a test"),
    ],
)
def test_all_calls_are_counted(given: dict[str, Any], runs: RealRuns) -> None:
    assert runs_of(**given) == runs


@pytest.mark.parametrize(
    ("given", "hooks", "line"),
    [
        ({}, (), "warning: side effects of about 30 runs, at most 56: see --pre, --post\n"),
        (
            {"sizes": "128,256,512,1024,2048,3008", "samples": 1000},
            (),
            "warning: side effects of about 6,007 runs, at most 9,007: see --pre, --post\n",
        ),
        ({"max_invocations": 20}, (), "warning: side effects of 20 runs: see --pre, --post\n"),
        (
            {"sizes": "128", "test_run": True},
            (),
            "warning: side effects of 1 run: see --pre, --post\n",
        ),
        ({}, ("true", None), "side effects of about 30 runs, at most 56, each after --pre\n"),
        ({}, (None, "true"), "side effects of about 30 runs, at most 56, each before --post\n"),
        (
            {},
            ("true", "true"),
            "side effects of about 30 runs, at most 56, each between --pre and --post\n",
        ),
    ],
)
def test_a_line_of_80_columns_says_how_often_and_what_could_put_it_right(
    given: dict[str, Any],
    hooks: tuple[str | None, ...],
    line: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    request = check_options(tune_options("orders", **given))
    plan = make_plan(request, TARGET)

    warn_of_side_effects(Console(), plan, request.limits.max_invocations, asked(*hooks))

    assert capsys.readouterr().err == line
    assert len(line) <= 81


def test_nobody_is_so_quiet_as_not_to_be_warned(capsys: pytest.CaptureFixture[str]) -> None:
    plan = make_plan(check_options(tune_options("orders")), TARGET)

    warn_of_side_effects(Console(verbosity=-1), plan, None, asked())

    assert "side effects" in capsys.readouterr().err
