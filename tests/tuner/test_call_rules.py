"""Rules of calls: what contradicts is refused before AWS is asked, what is set arrives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from tests.core.aws_server import answer, aws_server
from tests.tuner.run_rig import tune_options
from tests.tuner.test_analyze import TARGET
from tuner.call_rules import CallRules
from tuner.options import TuneRequest, check_options
from tuner.plan import FixedPlan
from tuner.strategy import make_plan


def asked(**given: Any) -> TuneRequest:
    return check_options(tune_options("orders", **given))


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        pytest.param({}, CallRules(), id="nothing said"),
        pytest.param(
            {"allow_errors": ("ValueError", "Function.Odd")},
            CallRules(allowed_errors=frozenset({"ValueError", "Function.Odd"})),
            id="errors",
        ),
        pytest.param(
            {"discard": 0.25, "samples": 8},
            CallRules(discard_share=0.25),
            id="trim of a fixed plan",
        ),
        pytest.param({"discard_first": 3}, CallRules(discard_first=3), id="the first ones"),
        pytest.param({"sleep_s": 1.5}, CallRules(sleep_s=1.5), id="sleep"),
        pytest.param({"sleep_s": 0.0, "parallel": 4}, CallRules(), id="no sleep, in parallel"),
        pytest.param({"keep_outputs": True}, CallRules(keep_outputs=True), id="outputs"),
    ],
)
def test_what_is_set_arrives(given: dict[str, Any], rules: CallRules) -> None:
    assert asked(**given).calls == rules


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"allow_errors": ("",)}, "--allow-error: .*got ''", id="no error"),
        pytest.param({"allow_errors": ("Sandbox.Timedout",)}, "environment is gone", id="timeout"),
        pytest.param({"allow_errors": ("Runtime.ExitError",)}, "environment is gone", id="exit"),
        pytest.param({"allow_errors": ("a\nb",)}, "--allow-error: .*got 'a b'", id="two lines"),
        pytest.param({"discard": 0.41, "samples": 9}, "--discard: .*0 to 0.4 .got 0.41", id="trim"),
        pytest.param({"discard": -0.1, "samples": 9}, "got -0.1", id="negative trim"),
        pytest.param({"discard": float("nan"), "samples": 9}, "got nan", id="no number"),
        pytest.param({"discard": 0.1}, "--discard: expected a fixed plan", id="adaptive trim"),
        pytest.param(
            {"discard": 0.1, "samples": 60, "slo": "p95 < 1s"}, "no meaning with --slo", id="limit"
        ),
        pytest.param({"discard_first": 51}, "--discard-first: .*0 to 50 .got 51", id="too many"),
        pytest.param({"discard_first": -1}, "got -1", id="negative"),
        pytest.param({"sleep_s": 3601.0}, "--sleep: .*3600 seconds .got 3601", id="long sleep"),
        pytest.param({"sleep_s": float("nan")}, "--sleep: .*got nan", id="no time"),
        pytest.param({"sleep_s": 1.0, "parallel": 2}, "--sleep: .*--parallel 1", id="parallel"),
        pytest.param({"cold_only": True, "thorough": True}, "--thorough: .*--cold-only", id="c1"),
        pytest.param({"cold_only": True, "parallel": 2}, "--parallel: expected 1", id="c2"),
        pytest.param({"cold_only": True, "cold_share": "2%"}, "all calls are cold", id="c3"),
        pytest.param({"cold_only": True, "cold_samples": 2}, "--cold-samples", id="c4"),
        pytest.param({"cold_only": True, "slo": "p50 < 1s"}, "--slo", id="c5"),
        pytest.param({"cold_only": True, "samples": 51}, "--samples: expected 1 to 50", id="c6"),
        pytest.param({"cold_only": True, "discard_first": 1}, "--discard-first", id="c7"),
        pytest.param({"cold_only": True, "test_run": True}, "--cold-only: .*--test-run", id="c8"),
        pytest.param({"test_run": True, "apply": "latest"}, "--apply: .*--test-run", id="t0"),
        pytest.param({"test_run": True, "samples": 5}, "--samples: .*--test-run", id="t1"),
        pytest.param({"test_run": True, "objective": "speed"}, "--objective: ", id="t2"),
        pytest.param({"test_run": True, "thorough": True}, "--thorough: .*--test-run", id="t3"),
        pytest.param(
            {"test_run": True, "requests_per_month": "1M"}, "--requests-per-month: ", id="t4"
        ),
        pytest.param(
            {"payloads_file": "f", "payload_text": "{}"}, "--payloads or --payload-json", id="both"
        ),
        pytest.param(
            {"payloads_file": "f", "payload_file": "g"}, "or --payload, not", id="both files"
        ),
        pytest.param({"payload_file": "s3://b"}, "expected s3://BUCKET/KEY", id="half a URL"),
        pytest.param(
            {"payload_file": "s3://bucket/key", "sandbox": True}, "has no S3", id="S3 of a sandbox"
        ),
    ],
)
def test_what_contradicts_is_refused(
    given: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with pytest.raises(InputError, match=message):
        asked(**given)


@pytest.mark.parametrize(
    ("given", "kind", "calls", "most", "versions"),
    [
        pytest.param({"samples": 10}, "fixed", 11, 16, 1, id="fixed"),
        pytest.param({"samples": 10, "discard_first": 3}, "fixed", 14, 19, 1, id="discarding"),
        pytest.param({"cold_only": True}, "cold", 5, 8, 8, id="cold starts"),
        pytest.param({"test_run": True}, "test", 1, 1, 1, id="a test"),
    ],
)
def test_the_calls_of_a_plan_are_known_before(
    given: dict[str, Any], kind: str, calls: int, most: int, versions: int
) -> None:
    plan = make_plan(asked(**given), TARGET)

    assert isinstance(plan, FixedPlan)
    assert (plan.kind, plan.calls_per_size, plan.attempts_per_size) == (kind, calls, most)
    assert plan.versions_per_size == versions
    assert (plan.trial_mb is None) == (kind == "test")


def test_an_adaptive_plan_may_make_more_calls_where_some_are_discarded() -> None:
    plain, discarding = (make_plan(asked(discard_first=n), TARGET) for n in (0, 2))

    assert not isinstance(plain, FixedPlan)
    assert not isinstance(discarding, FixedPlan)
    assert (plain.most_calls, discarding.most_calls) == (55, 71)
    assert discarding.start_calls == plain.start_calls + 6


@pytest.mark.parametrize(
    ("given", "even_share"),
    [
        pytest.param({}, 0.5, id="adaptive"),
        pytest.param({"slo": "p95 < 1s"}, 0.0, id="percentiles are of all calls by weight"),
        pytest.param({"samples": 10}, 0.0, id="fixed"),
    ],
)
def test_only_plans_of_few_calls_call_payloads_more_evenly(
    given: dict[str, Any], even_share: float, tmp_path: Path
) -> None:
    path = tmp_path / "mix.json"
    path.write_text('[{"payload":1},{"payload":2}]')

    assert asked(payloads_file=str(path), **given).payloads.even_share == even_share


def test_payloads_in_s3_are_read_with_the_users_own_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with aws_server(lambda request: answer(b'[{"payload":1},{"payload":2}]')) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.access.endpoint_url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")

        several = asked(payloads_file="s3://bucket/mix.json", region="eu-west-1").payloads
        one = asked(payload_file="s3://bucket/event.json", region="eu-west-1").payloads

    assert several.contents == (b"1", b"2")
    assert one.contents == (b'[{"payload":1},{"payload":2}]',)
    assert "/eu-west-1/s3/" in server.requests[0].headers["authorization"]
