"""Result documents: the verdict and its order, books that balance, slices that agree."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import ExitCode
from loadgen.cost import Cost
from loadgen.failures import MOST_REASONS, OTHER_REASONS
from loadgen.measured import measured_of
from loadgen.messages import Drained, Failure, PhaseCount
from loadgen.outcome import Cause, Evidence, Kind, Outcome
from loadgen.profile.model import Profile
from loadgen.result import LoadFacts, Stop, build_document, step_uses
from loadgen.tally import Tally
from loadgen.thresholds import evaluate, rules_of
from loadgen.validity import InjectorEnd, judge
from reports.load_document import LoadDocument, TargetFacts
from tests.loadgen.made_runs import Made, Seen, profile_of, tally_of

WARM = {"name": "warm", "duration": "2s", "rate": 10.0, "measure": False}
HOLD = {"name": "hold", "duration": "4s", "rate": 10.0}
REST = {"name": "rest", "pause": "2s"}
SPIKE = {"name": "spike", "burst": 20}

BY_WIRE = Kind(Outcome.THROTTLED, Cause.THROTTLE, Evidence.WIRE)
BY_STAGE = Kind(Outcome.THROTTLED, Cause.STAGE, Evidence.CONFIGURATION)
BY_LOG = Kind(Outcome.THROTTLED, Cause.STAGE, Evidence.ACCESS_LOG)
BROKEN = Kind(Outcome.SERVER_ERROR, Cause.UNKNOWN, Evidence.WIRE)
LATE = Kind(Outcome.TIMEOUT, Cause.RESPONSE_TIMEOUT, Evidence.WIRE)


def facts_of(profile: Profile, tally: Tally, **changed: Any) -> LoadFacts:
    started = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
    plain: dict[str, Any] = {
        "profile": profile,
        "profile_file": "profiles/orders.yaml",
        "profile_sha256": "0" * 64,
        "profile_text": "version: 1\n",
        "environment": None,
        "target": TargetFacts(url="http://127.0.0.1:8080"),
        "limits": (),
        "command": ("loadgen", "run", "profiles/orders.yaml"),
        "started": started,
        "finished": started,
        "seed": 7,
        "run_id": "20260901T120000Z-load-orders",
        "ends": ends_of(tally),
    }
    return LoadFacts(**(plain | changed))


def ends_of(tally: Tally) -> tuple[InjectorEnd, ...]:
    return tuple(InjectorEnd(n, end.frames, end) for n, end in tally.drained.items())


def document_of(profile: Profile, tally: Tally, **changed: Any) -> LoadDocument:
    facts = facts_of(profile, tally, **changed)
    validity = judge(measured_of(tally), profile, facts.ends, planned=None)
    thresholds = evaluate(rules_of(profile.thresholds, tally.phases, tally.steps), tally)
    return build_document(facts, tally, thresholds, validity, Cost(0.0, ("local",)))


def run_of(*seen: Seen, thresholds: tuple[str, ...] = (), **changed: Any) -> LoadDocument:
    profile = profile_of(HOLD, thresholds=thresholds)
    return document_of(profile, tally_of(profile, Made(seen or (Seen(0),))), **changed)


# -- the verdict ----------------------------------------------------------------------------------

PASSING, FAILING, OPEN = "rate(ok) > 1%", "rate(ok) < 1%", "p95(connect) < 1s"
GUARD = Stop("guard", "101 requests sent: guards.max_requests is 100", 3.0)
CTRL_C = Stop("signal", "interrupted", 3.0)
ENDED = Stop("threshold", "rate(ok) < 1%", 3.0)
KILLED = (InjectorEnd(0, 1, None, exit_code=-9, ended_at_s=1.0),)


@pytest.mark.parametrize(
    ("thresholds", "changed", "verdict", "code"),
    [
        pytest.param((), {}, "pass", 0, id="nothing to judge"),
        pytest.param((PASSING,), {}, "pass", 0, id="all hold"),
        pytest.param((PASSING, FAILING), {}, "failed", 3, id="one fails"),
        pytest.param((PASSING, OPEN), {}, "inconclusive", 4, id="one cannot be judged"),
        pytest.param((FAILING, OPEN), {}, "failed", 3, id="failed before inconclusive"),
        pytest.param((FAILING,), {"stop": ENDED}, "failed", 3, id="ended by a threshold"),
        pytest.param((FAILING,), {"ends": KILLED}, "invalid", 5, id="invalid before failed"),
        pytest.param((FAILING,), {"stop": GUARD}, "refused", 6, id="a guard before failed"),
        pytest.param((), {"stop": GUARD, "ends": KILLED}, "refused", 6, id="a guard ended it"),
        pytest.param((FAILING,), {"stop": CTRL_C}, "interrupted", 130, id="Ctrl-C"),
        pytest.param(
            (), {"stop": Stop("signal", "", 3.0, ExitCode.TERMINATED)}, "interrupted", 143,
            id="SIGTERM",
        ),
        pytest.param((), {"errors": ["no token"], "stop": CTRL_C}, "error", 1, id="an error"),
    ],
)  # fmt: skip
def test_the_verdict_has_one_order(
    thresholds: tuple[str, ...], changed: dict[str, Any], verdict: str, code: int
) -> None:
    document = run_of(thresholds=thresholds, **changed)
    assert (document.verdict, document.exit_code) == (verdict, code)


REFUSED = Kind(Outcome.CONNECTION_ERROR, Cause.REFUSED, Evidence.WIRE)
FORBIDDEN = Kind(Outcome.CLIENT_ERROR, Cause.UNKNOWN, Evidence.WIRE)
CHECK = Kind(Outcome.CHECK_FAILED)


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ([REFUSED], "none of 10 completed requests was ok: 10 x connection refused"),
        ([CHECK], "none of 10 completed requests was ok: 10 x failed check"),
        ([FORBIDDEN], "none of 10 completed requests was ok: 10 x client error (4xx)"),
        ([LATE], "none of 10 completed requests was ok: 10 x no response in time"),
        ([BY_STAGE], "none of 10 completed requests was ok: 10 x throttled: stage throttle"),
    ],
    ids=["refused", "checks", "forbidden", "late", "throttled"],
)
def test_without_thresholds_something_must_be_ok(kinds: list[Kind], said: str) -> None:
    seen = [Seen(0, kind=kind) for kind in kinds]
    document = run_of(*seen)
    assert (document.verdict, document.exit_code, document.errors) == ("failed", 3, [said])
    assert run_of(*seen, Seen(1, 1)).verdict == "pass", "one is enough"
    assert run_of(*seen, thresholds=("rate(ok) < 1%",)).verdict == "pass", "the profile decides"
    assert run_of(*seen, stop=CTRL_C).verdict == "interrupted"


def test_several_causes_are_named_the_most_frequent_first() -> None:
    [said] = run_of(Seen(0, 2, kind=REFUSED), Seen(1, 9, kind=CHECK)).errors
    assert said.endswith("was ok: 9 x failed check and 2 x connection refused")


def test_a_run_of_which_nothing_was_completed_does_not_fail_by_that() -> None:
    profile = profile_of(HOLD, validity={"min_requests": 0})
    assert document_of(profile, tally_of(profile, Made([], seconds=4))).verdict == "pass"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"stop": GUARD}, "a guard stopped the run 3.0 s after the start: 101 requests sent"),
        ({"stop": CTRL_C}, "stopped 3.0 s after the start, before the run was done"),
        ({"stop": ENDED}, "a threshold ended the run 3.0 s after the start: rate(ok) < 1%"),
        ({"ends": KILLED}, "injector 0 ended early 1.0 s after the start (signal 9 SIGKILL)"),
        ({"errors": ["no token"]}, "no token"),
    ],
    ids=["guard", "signal", "threshold", "killed", "error"],
)
def test_what_ended_a_run_or_makes_it_doubtful_is_an_error(
    changed: dict[str, Any], said: str
) -> None:
    assert run_of(**changed).errors[0].startswith(said)


# -- the books ------------------------------------------------------------------------------------


def mixed() -> tuple[Profile, Tally]:
    profile = profile_of(WARM, HOLD, REST, SPIKE)
    seen = [
        Seen(0, 7, ms=900, phase=0),
        Seen(2, 10, ms=50, phase=1),
        Seen(3, 6, ms=100, phase=1, step=1),
        Seen(3, 3, ms=5, phase=1, kind=BY_WIRE),
        Seen(4, 2, ms=5, phase=1, kind=BY_STAGE),
        Seen(4, 4, ms=5, phase=1, kind=BY_LOG),
        Seen(5, 1, ms=30, phase=1, kind=BROKEN, step=1),
        Seen(8, 20, ms=200, phase=3),
    ]
    counts = [PhaseCount(one.second, one.phase, one.count, 0, one.count) for one in seen]
    counts.append(PhaseCount(5, 1, offered=5, dropped=3, sent=2))  # two are cut
    return profile, tally_of(profile, Made(seen, counts, cut=2))


def test_the_books_balance_and_leave_out_what_is_not_measured() -> None:
    requests = document_of(*mixed()).requests
    assert requests.model_dump() == {
        "offered": 51, "sent": 48, "completed": 46, "cut": 2, "dropped": 3, "lost": 0,
    }  # fmt: skip


def test_outcomes_causes_and_evidence_are_counted() -> None:
    document = document_of(*mixed())
    assert document.outcomes.model_dump() == {
        "ok": 36, "throttled": 9, "client_error": 0, "server_error": 1, "timeout": 0,
        "connection_error": 0, "check_failed": 0,
    }  # fmt: skip
    stage, some = document.throttled_by_cause
    assert (stage.cause, stage.count, stage.evidence) == ("stage", 6, "access_log")
    assert stage.by_evidence == {"access_log": 4, "configuration": 2}
    assert (some.cause, some.count, some.by_evidence) == ("throttle", 3, {"wire": 3})
    [broken] = document.errors_by_cause
    assert (broken.outcome, broken.cause, broken.count) == ("server_error", "unknown", 1)


def test_rates_are_over_the_measured_time() -> None:
    document = document_of(*mixed())
    assert document.measured_s == 4  # neither the warm-up nor the pause
    assert document.rates.offered_rps == pytest.approx(51 / 4)
    assert document.rates.admitted_rps == pytest.approx(37 / 4)
    assert document.rates.throttled_rps == pytest.approx(9 / 4)


def test_percentiles_are_of_all_completed_requests_and_apart_of_those_that_were_ok() -> None:
    document = document_of(*mixed())
    response, ok = document.response_ms, document.ok_response_ms
    assert response is not None
    assert ok is not None
    assert (response.n, ok.n) == (46, 36)
    assert (response.p50, response.max) == (pytest.approx(100, rel=2e-3), 200)
    assert ok.p50 == pytest.approx(200, rel=2e-3)
    assert document.connect_ms is None
    assert document.bytes_in == 4600


def test_steps_and_phases_add_up_to_the_run() -> None:
    document = document_of(*mixed())
    assert [step.name for step in document.steps] == ["browse items", "POST /orders"]
    assert sum(step.requests.completed for step in document.steps) == 46
    assert [step.outcomes.ok for step in document.steps] == [30, 6]
    phases = {phase.name: phase for phase in document.phases}
    assert phases["warm"].requests.completed == 7
    for phase in document.phases:
        assert sum(phase.by_step) == phase.requests.completed
        assert len(phase.by_step) == len(document.steps)
    assert not phases["warm"].measured
    measured = [phase for phase in document.phases if phase.measured]
    for field in ("offered", "sent", "completed", "cut", "dropped"):
        whole = getattr(document.requests, field)
        assert sum(getattr(phase.requests, field) for phase in measured) == whole
    assert phases["spike"].rates.offered_rps == 20  # at once, taken as one second
    assert phases["rest"].response_ms is None


def test_cut_requests_belong_to_their_step() -> None:
    profile, tally = mixed()
    end = tally.drained[0]
    tally.drained[0] = Drained(
        0, end.frames, end.offered, end.dropped, end.sent, end.completed, 2, {"1": 2}
    )
    buy = document_of(profile, tally).steps[1].requests
    assert (buy.sent, buy.completed, buy.cut) == (9, 7, 2)
    assert [use.cut for use in step_uses(tally, ends_of(tally))] == [0, 2]


def test_requests_of_a_killed_injector_are_lost_not_cut() -> None:
    profile, tally = mixed()
    tally.drained.clear()
    document = document_of(profile, tally, ends=KILLED)
    assert document.requests.model_dump(include={"sent", "cut", "lost", "completed"}) == {
        "sent": 48, "cut": 0, "lost": 2, "completed": 46,
    }  # fmt: skip
    assert document.validity.injectors_ended_early == 1


def test_a_run_that_was_stopped_has_the_phases_that_it_got_to() -> None:
    profile = profile_of(WARM, HOLD, REST, SPIKE)
    tally = tally_of(profile, Made([Seen(0), Seen(3, phase=1)]))
    tally.until_us = 5_000_000
    document = document_of(profile, tally)
    assert [(phase.name, phase.to_s) for phase in document.phases] == [("warm", 2), ("hold", 5)]
    assert document.measured_s == 3


def test_a_phase_that_sent_before_the_stop_got_through_is_not_left_out() -> None:
    profile, tally = mixed()
    tally.until_us = 7_900_000
    spike = document_of(profile, tally).phases[-1]
    assert (spike.name, spike.from_s, spike.to_s, spike.requests.sent) == ("spike", 8, 8, 20)


def test_nothing_measured_is_a_document_too() -> None:
    profile = profile_of(HOLD)
    document = document_of(profile, tally_of(profile, Made([], seconds=1)))
    assert (document.verdict, document.requests.sent) == ("invalid", 0)
    assert document.response_ms is None
    assert document.rates.offered_rps == 0


def test_a_document_reads_back_as_it_was_written() -> None:
    document = document_of(*mixed(), stop=CTRL_C)
    assert LoadDocument.model_validate_json(document.model_dump_json()) == document
    assert document.seconds[2].offered == 10
    assert document.provenance.arrivals == "poisson"


def test_notes_stand_once() -> None:
    profile = profile_of(HOLD)
    tally = tally_of(profile, Made([Seen(0), Seen(1)], notes=["slow disk"]))
    assert document_of(profile, tally, notes=["sandbox", "slow disk"]).notes == [
        "sandbox",
        "slow disk",
    ]


def failing(*failures: Failure) -> LoadDocument:
    profile = profile_of(WARM, HOLD)
    return document_of(profile, tally_of(profile, Made([Seen(3, phase=1)], failures=[*failures])))


def test_failed_checks_of_measured_phases_have_their_reasons() -> None:
    document = failing(
        Failure(1, 0, "capture id: nothing found", 3),
        Failure(0, 0, "capture id: nothing found", 90),
        Failure(1, 1, "checks.status: expected 201, got 200", 5),
    )
    assert [(one.step, one.reason, one.count) for one in document.failures] == [
        ("POST /orders", "checks.status: expected 201, got 200", 5),
        ("browse items", "capture id: nothing found", 3),
    ]


def test_the_rarest_reasons_are_counted_together() -> None:
    many = [Failure(1, 0, f"reason {n}", n) for n in range(1, 31)]
    failures = failing(*many, Failure(1, 0, OTHER_REASONS, 100)).failures
    assert [one.reason for one in failures[:2]] == [OTHER_REASONS, "reason 30"]
    assert failures[0].count == 100 + sum(range(1, 11))
    assert len(failures) == MOST_REASONS + 1


def test_status_codes_are_in_the_document() -> None:
    assert run_of(statuses={"200": 7, "no response": 3}).statuses == {"200": 7, "no response": 3}
    assert run_of().statuses == {}


def test_a_late_answer_is_an_error_with_its_cause() -> None:
    [cause] = run_of(Seen(0), Seen(1, 3, kind=LATE)).errors_by_cause
    assert (cause.outcome, cause.cause, cause.count) == ("timeout", "response_timeout", 3)
