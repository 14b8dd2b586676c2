"""What the checks before a run make of what AWS says."""

from __future__ import annotations

from typing import Any

import pytest

from core.aws.prices import bundled_prices
from core.aws.session import Caller
from core.console import Console
from core.errors import AwsError, CredentialsError, ExitCode, InputError, Refused
from tuner.preflight.account_checks import check_account
from tuner.preflight.finding import Finding, exit_code, problem
from tuner.preflight.function_checks import check_function, check_logs, check_size, check_update
from tuner.preflight.permissions import read
from tuner.preflight.place_checks import check_caller, check_place, check_prices
from tuner.preflight.reading import AccountLimits, shown
from tuner.preflight.view import Section, show_findings

# GetFunction as AWS answers it, with all that a function can have (API reference, 2026).
ANSWER: dict[str, Any] = {
    "Configuration": {
        "FunctionName": "orders",
        "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:orders",
        "Runtime": "java21",
        "Role": "arn:aws:iam::123456789012:role/orders",
        "CodeSize": 52_428_800,
        "Timeout": 600,
        "MemorySize": 1024,
        "CodeSha256": "dBG9m8SGdmlEjw/JYXlhhvCrAv5TxvXsbL/RMr0fT/I=",
        "VpcConfig": {"SubnetIds": ["subnet-1", "subnet-2"], "VpcId": "vpc-1"},
        "Environment": {"Variables": {"PASSWORD": "hunter22"}},
        "Layers": [{"Arn": "arn:aws:lambda:eu-west-1:1:layer:a:1", "CodeSize": 10}],
        "State": "Inactive",
        "LastUpdateStatus": "Failed",
        "LastUpdateStatusReason": "The role cannot be assumed",
        "PackageType": "Zip",
        "Architectures": ["arm64"],
        "EphemeralStorage": {"Size": 1024},
        "SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/orders"},
    },
    "Code": {"Location": "https://bucket/with?X-Amz-Signature=secret"},
    "Concurrency": {"ReservedConcurrentExecutions": 5},
}
PLAIN: dict[str, Any] = {
    "Configuration": {
        "FunctionName": "plain",
        "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:plain",
        "Timeout": 3,
        "MemorySize": 128,
        "CodeSha256": "abc=",
        "PackageType": "Image",
    }
}
LIMITS = AccountLimits(
    concurrency=1000, unreserved=900, storage_bytes=300 * 1024**3, stored_bytes=200 * 1024**3
)


def states(findings: Any) -> dict[str, str]:
    return {finding.name: finding.state for finding in findings}


def test_all_that_a_function_has_is_shown_and_no_secret() -> None:
    function = shown(ANSWER)

    assert (function.subnets, function.layers, function.reserved_concurrency) == (2, 1, 5)
    assert (function.arch, function.log_group, function.snap_start) == ("arm64", "/orders", True)
    assert "hunter22" not in repr(function)
    assert "secret" not in repr(function)


def test_a_plain_function_is_shown_with_the_defaults() -> None:
    function = shown(PLAIN)

    assert (function.arch, function.storage_mb, function.runtime) == ("x86_64", 512, None)
    assert (function.log_group, function.vpc_id) == ("/aws/lambda/plain", None)
    assert (function.state, function.update_status) == ("Active", "Successful")


def test_what_may_spoil_a_run_on_a_function_is_told() -> None:
    found = states(check_function(shown(ANSWER), Refused("held", hint="wait")))

    assert found == {
        "function": "problem",
        "state": "warning",
        "last update": "warning",
        "code": "ok",
        "code hash": "ok",
        "network": "note",
        "layers": "ok",
        "SnapStart": "note",
        "timeout": "note",
    }


@pytest.mark.parametrize(
    ("status", "state"),
    [
        pytest.param("Successful", "ok", id="done"),
        pytest.param("InProgress", "note", id="going on"),
        pytest.param("Failed", "warning", id="did not take effect"),
    ],
)
def test_the_last_update_is_judged(status: str, state: str) -> None:
    assert check_update(status, "why").state == state


@pytest.mark.parametrize(
    ("limits", "reserved", "parallel", "needed_mb", "expected"),
    [
        pytest.param(LIMITS, None, 1, 500, ("ok", "ok"), id="plenty"),
        pytest.param(LIMITS, None, 500, 500, ("warning", "ok"), id="much at once"),
        pytest.param(
            AccountLimits(10, 10, 10**9, 0), None, 1, 10, ("note", "ok"), id="a new account"
        ),
        pytest.param(
            AccountLimits(10, 10, 10**9, 0), None, 6, 10, ("warning", "ok"), id="new, much at once"
        ),
        pytest.param(LIMITS, 5, 500, 500, ("ok", "ok"), id="reserved"),
        pytest.param(LIMITS, None, 1, 200 * 1024, ("ok", "warning"), id="large code"),
        pytest.param(
            AccountLimits(1000, 900, 10**9, 10**9), None, 1, 1, ("ok", "problem"), id="no room"
        ),
    ],
)
def test_what_the_account_leaves_is_judged(
    limits: AccountLimits,
    reserved: int | None,
    parallel: int,
    needed_mb: int,
    expected: tuple[str, str],
) -> None:
    found = states(check_account(limits, reserved, parallel, needed_mb * 1024**2))

    assert (found["concurrency"], found["code storage"]) == expected


def test_limits_that_aws_does_not_tell_are_no_reason_not_to_run() -> None:
    assert states(check_account(AwsError("not allowed"), None, 1, 0)) == {"account": "note"}


@pytest.mark.parametrize(
    ("stored", "state", "said"),
    [
        pytest.param(3_000_000_000, "ok", "holds 3 GB", id="some"),
        pytest.param(626, "ok", "holds less than 0.01 GB", id="hardly any"),
        pytest.param(None, "note", "does not exist yet", id="none"),
        pytest.param(AwsError("not allowed"), "note", "not allowed", id="not told"),
    ],
)
def test_the_log_group_is_judged(stored: Any, state: str, said: str) -> None:
    finding = check_logs(shown(ANSWER), stored)

    assert (finding.state, said in finding.found) == (state, True)


def test_the_price_of_today_is_told() -> None:
    price = bundled_prices().lambda_price("us-east-1", "arm64")

    assert "$0.0000133334 per GB-s and $0.20 per million" in check_size(shown(ANSWER), price).found


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param({"Versions": []}, "allowed", id="an answer"),
        pytest.param(AwsError("no", code="AccessDeniedException"), "denied", id="not allowed"),
        pytest.param(AwsError("slow", code="TooManyRequestsException"), "unclear", id="throttled"),
    ],
)
def test_a_reading_call_says_whether_it_is_allowed(answer: object, outcome: str) -> None:
    assert read("lambda:ListVersionsByFunction", answer).outcome == outcome


@pytest.mark.parametrize(
    ("finding", "state"),
    [
        pytest.param(check_caller(Caller("1", "arn:aws:iam::1:user/me")), "ok", id="known"),
        pytest.param(check_caller(CredentialsError("none", hint="log in")), "problem", id="none"),
        pytest.param(check_caller(AwsError("no answer")), "warning", id="no answer"),
        pytest.param(check_place("eu-west-1", None), "ok", id="AWS"),
        pytest.param(check_place("eu-west-1", "http://127.0.0.1:1"), "note", id="elsewhere"),
        pytest.param(check_prices(bundled_prices(), "eu-west-1"), "ok", id="prices"),
        pytest.param(check_prices(bundled_prices(), "mars-1"), "problem", id="no prices"),
    ],
)
def test_who_asks_and_where_is_judged(finding: Finding, state: str) -> None:
    assert finding.state == state


def test_the_exit_code_is_that_of_the_first_problem() -> None:
    fine = Finding("state", "warning", "Inactive")
    refused, wrong = problem("a", Refused("no")), problem("b", InputError("no", hint="do"))

    assert exit_code([fine]) == ExitCode.PASS
    assert exit_code([fine, refused, wrong]) == ExitCode.REFUSED
    assert wrong.line == "b: no (do)"


@pytest.mark.parametrize(("verbosity", "shown_states"), [(0, 3), (-1, 1)], ids=["all", "quiet"])
def test_quiet_shows_what_stands_in_the_way(
    verbosity: int, shown_states: int, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Section("account", (Finding("region", "ok", "eu-west-1"),))
    function = Section(
        "orders", (Finding("code", "ok", "zip"), Finding("state", "warning", "Inactive"))
    )

    show_findings(Console(verbosity=verbosity), [place, function])

    said = capsys.readouterr().out
    assert sum(text in said for text in ("eu-west-1", "zip", "Inactive")) == shown_states
    assert "Inactive" in said
    assert said.rstrip().endswith("a run can be made: 1 warning")
