"""What is compared after a run, and what is not known before: retries, authorizers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from core.aws.authorizers import Authorizer
from core.aws.function_durations import PastDurations
from core.aws.gateway import Route
from loadgen.limits import Bucket, Limits, StepLimits
from loadgen.outcome import Cause
from loadgen.preflight.authorizers import authorizer_uses, unread_steps
from loadgen.preflight.chain import chain_of
from loadgen.preflight.comparable import SENT_AGAIN, STOPPED, reasons, why_not
from loadgen.preflight.durations import StepDuration
from loadgen.preflight.path_reading import Path
from loadgen.preflight.phases import predicted_phases
from loadgen.preflight.planned import planned_requests
from loadgen.preflight.simulated import Simulated
from loadgen.preflight.simulation import simulate
from loadgen.profile.model import Profile
from loadgen.schedule import plan_phases
from loadgen.steps import step_infos
from loadgen.tally import Tally
from reports.load_document import CauseCount, Outcomes, PhaseSlice, Rates, Requests
from reports.load_prediction import PhasePrediction
from tests.loadgen.made_runs import profile_of
from tests.loadgen.test_preflight_parts import phase
from tests.loadgen.test_retry_books import PHASES, frame

HOLD = {"name": "hold", "duration": "10s", "rate": 20}
ROUTE = Route("GET", "/a", "f", None, api_key_required=False, auth="CUSTOM", authorizer_id="auth")


# -- after a run ----------------------------------------------------------------------------------


def test_a_phase_in_which_clients_send_again_is_another_load() -> None:
    profile = profile_of(*PHASES, {"name": "after", "duration": "2s", "rate": 3}, retry="standard")
    tally = Tally(plan_phases(profile), step_infos(profile))
    tally.add(frame())

    # A retry in the third second, of the phase that ends with it; nothing of the warm-up.
    assert reasons(tally) == {1: SENT_AGAIN}


def test_a_phase_that_was_stopped_was_not_what_was_planned() -> None:
    profile = profile_of(*PHASES)
    tally = Tally(plan_phases(profile), step_infos(profile))
    tally.until_us = 1_500_000

    assert reasons(tally) == {1: STOPPED}


def measured(
    sent: int = 100, throttled: int = 0, cause: str = "unknown", **errors: int
) -> PhaseSlice:
    causes = [
        CauseCount(outcome=outcome, cause=cause, evidence="none", count=count)
        for outcome, count in errors.items()
    ]
    return PhaseSlice(
        name="hold",
        requests=Requests(offered=sent, sent=sent, completed=sent, cut=0, dropped=0),
        outcomes=Outcomes(throttled=throttled, **errors),
        throttled_by_cause=[],
        errors_by_cause=causes,
        rates=Rates(offered_rps=10.0, admitted_rps=10.0, throttled_rps=0.0),
        response_ms=None,
        service_ms=None,
        ok_response_ms=None,
        measured=True,
        from_s=0.0,
        to_s=10.0,
        planned="10 requests/s",
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        pytest.param(measured(throttled=40), "", id="as predicted"),
        pytest.param(measured(throttled=10), "", id="less than predicted"),
        pytest.param(
            measured(sent=50), "50 requests were sent, 100 were planned", id="half of them sent"
        ),
        pytest.param(
            measured(client_error=40),
            "40 % failed and nothing tells why: they may be refusals",
            id="a customised response",
        ),
        pytest.param(
            measured(server_error=38, throttled=3),
            "38 % failed and nothing tells why: they may be refusals",
            id="a 500 of Lambda without a log",
        ),
        pytest.param(measured(server_error=38, cause="application"), "", id="the function itself"),
        pytest.param(measured(server_error=5), "", id="too few to make the difference"),
        pytest.param(measured(throttled=40, client_error=20), "", id="all refusals are known"),
    ],
)
def test_another_load_or_unexplained_errors_are_not_compared(found: PhaseSlice, words: str) -> None:
    said = why_not(phase(0.4, "stage"), found)

    assert said.replace("\N{NO-BREAK SPACE}", " ") == words


# -- clients that send again ----------------------------------------------------------------------


def predictions(profile: Profile, rate_rps: float = 5.0) -> list[PhasePrediction]:
    bucket = Bucket(Cause.STAGE, "stage prod", rate_rps, 5, "s")
    steps = step_infos(profile)
    limits = Limits(tuple(StepLimits(step.index, "r", (bucket,), complete=True) for step in steps))
    phases, chain = plan_phases(profile), chain_of(limits, len(steps), {})
    planned = planned_requests(profile, phases, 1, [None] * len(steps))
    simulated = Simulated(planned, chain, simulate(planned, chain))
    return predicted_phases(profile, phases, steps, limits, simulated, {})


@pytest.mark.parametrize("retry", ["standard", {"mode": "adaptive", "max_attempts": 1}])
def test_no_share_is_predicted_where_clients_send_again(retry: object) -> None:
    (one,) = predictions(profile_of(HOLD, retry=retry))

    assert (one.throttled_share, one.if_nobody_retries) == (None, True)
    assert one.unknown == ["what clients send again"]
    assert (one.binds, one.refused_by[0].layer) == ("stage", "stage")


@pytest.mark.parametrize(
    ("retry", "rate_rps"), [("none", 5.0), ("standard", 100.0)], ids=["no retries", "no refusals"]
)
def test_what_nobody_sends_again_is_predicted(retry: str, rate_rps: float) -> None:
    (one,) = predictions(profile_of(HOLD, retry=retry), rate_rps)

    assert one.throttled_share is not None
    assert (one.if_nobody_retries, one.unknown) == (False, [])


def test_retries_that_come_later_are_in_the_phases_after() -> None:
    quiet = {"duration": "2s", "rate": 2}
    profile = profile_of(
        HOLD,
        {"name": "rest", "pause": "2s"},
        {"name": "after", **quiet},
        {"name": "late", **quiet},
        retry="standard",
    )

    hold, _, after, late = predictions(profile)

    # 1 s and 2 s after the last refusal at the longest.
    assert (hold.if_nobody_retries, after.if_nobody_retries) == (True, False)
    assert after.unknown == ["what clients of a phase before send again"]
    assert (after.throttled_share, after.binds) == (None, None)
    assert (late.throttled_share, late.unknown) == (0.0, [])


def test_who_is_not_refused_sends_nothing_again() -> None:
    scenarios = [
        {"name": "browse", "retry": "none", "flow": [{"get": "/a"}]},
        {"name": "buy", "flow": [{"post": "/b"}]},
    ]
    load = {"phases": [{**HOLD, "scenarios": ["browse"]}]}

    (one,) = predictions(profile_of(scenarios=scenarios, load=load, retry="standard"))

    assert (one.if_nobody_retries, one.unknown) == (False, [])


# -- authorizers ----------------------------------------------------------------------------------


def uses(
    ttl_s: int | None, reserve: int | None, mean_ms: float | None, account: int | None = 10
) -> list[Any]:
    profile = profile_of(HOLD)
    step = StepLimits(0, "r", (), None, "f", None, 10, complete=True, hit=ROUTE)
    limits = Limits((step, StepLimits(1)), account)
    history = {} if mean_ms is None else {("who", None): PastDurations(9, mean_ms, None, None, 14)}
    path = Path(
        history=history,
        authorizers={"auth": Authorizer("token", "lambda", ttl_s, "who", None)},
        reserves={"who": reserve},
    )
    chain = chain_of(limits, 2, {}, timeouts_s={0: 0.1})
    planned = planned_requests(profile, plan_phases(profile), 1, (None, None))
    return authorizer_uses(limits, path, planned, chain)


@pytest.mark.parametrize(
    ("ttl_s", "reserve", "mean_ms", "may_refuse"),
    [
        pytest.param(0, None, 20.0, False, id="room for both"),
        pytest.param(0, None, 2000.0, True, id="the account is full"),
        pytest.param(0, None, None, True, id="durations are not known"),
        pytest.param(0, 40, None, True, id="29 s at most, and a small reserve"),
        pytest.param(0, 400, None, False, id="29 s at most, and a large one"),
        pytest.param(0, 2, 20.0, True, id="a reserve that may be full"),
        pytest.param(0, 9, 20.0, False, id="a reserve that is not"),
        pytest.param(0, 0, 1.0, True, id="switched off"),
    ],
)
def test_an_authorizer_without_a_cache_may_find_no_place(
    ttl_s: int,
    reserve: int | None,
    mean_ms: float | None,
    may_refuse: bool,  # noqa: FBT001
) -> None:
    (use,) = uses(ttl_s, reserve, mean_ms)

    assert use.may_refuse == ({0} if may_refuse else set())
    assert use.limit == (10 if reserve is None else reserve)
    assert (use.most is None) == (mean_ms is None)


def test_an_authorizer_with_a_cache_is_not_called_for_each_request() -> None:
    assert uses(300, None, 2000.0) == []


def test_an_authorizer_that_could_not_be_read_is_unknown() -> None:
    limits = Limits((StepLimits(0, hit=ROUTE), StepLimits(1)))

    assert list(unread_steps(limits, Path())) == [0]


def test_durations_end_with_the_timeout_of_the_function() -> None:
    profile = profile_of(HOLD)
    slow = StepDuration(5000.0, None, None, "given")

    planned = planned_requests(profile, plan_phases(profile), 1, (slow, slow), {0: 1.0})

    assert set(np.unique(planned.runs_s[planned.step == 0]).tolist()) == {1.0}
    assert math.isclose(planned.runs_s[planned.step == 1].max(initial=5.0), 5.0)
