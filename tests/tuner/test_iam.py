"""The policy that `tune iam` prints allows all that runs ask of AWS, and nothing that none asks."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.log_query import run_query
from core.aws.s3 import parse_s3_url, read_object
from core.aws.session import AwsSession, LocalAccess
from core.console import Console
from core.errors import ExitCode, InputError, Interrupted
from core.interrupt import StopRequest
from tests.conftest import MakeFunction
from tests.core.aws_server import answer, aws_server
from tests.tuner.iam_rig import REGION, Asked, actions, policy, recording, refused
from tests.tuner.run_rig import Tune, tune_options
from tuner.cli import main
from tuner.iam.command import IamOptions, iam
from tuner.preflight.run import preflight
from tuner.target import read_target
from tuner.usage import check_usage, read_usage

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

FAST = {"duration_ms": {"128": 4, "3008": 2}}
PLAN: dict[str, Any] = {"sizes": "128,512", "samples": 2, "parallel": 2}
# What Lambda answers where the reserved concurrency is used up.
USED_UP = {
    "Error": {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."},
    "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
    "ResponseMetadata": {"HTTPStatusCode": 429, "HTTPHeaders": {}},
}


def added(function: str, **given: Any) -> set[str]:
    """The actions that options add to the policy of a plain run."""
    return actions(policy(function, **given)) - actions(policy(function))


def test_a_run_asks_for_all_that_its_policy_has_and_for_nothing_else(
    tune: Tune, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = make_function(FAST)

    with recording(monkeypatch) as recorder:
        recorder.refusals["Invoke"] = USED_UP
        tune(name, **PLAN)

    assert refused(recorder.calls, policy(name)) == []
    assert actions(policy(name)) == recorder.actions


def test_an_adaptive_run_asks_for_the_same(
    tune: Tune, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = make_function(FAST)

    with recording(monkeypatch) as recorder:
        tune(name, max_invocations=8, cold_samples=2)

    assert refused(recorder.calls, policy(name)) == []


def test_a_dry_run_needs_reading_only(
    tune: Tune, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = make_function(FAST)
    document = policy(name, dry_run=True)

    with recording(monkeypatch) as recorder:
        tune(name, dry_run=True)

    assert refused(recorder.calls, document) == []
    assert actions(document) == recorder.actions
    assert all(action.split(":")[1].startswith(("Get", "List")) for action in actions(document))


def test_both_architectures_are_two_functions(
    tune: Tune, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, other = make_function(FAST), make_function(FAST, Architectures=["arm64"])

    with recording(monkeypatch) as recorder:
        tune(name, arch="both", arch_function=other, **PLAN)

    assert refused(recorder.calls, policy(name, arch_function=other)) == []
    assert refused(recorder.calls, policy(name)) != []
    assert added(name, arch_function=other) == set()


def test_what_is_auto_reads_logs_and_metrics(
    local_access: LocalAccess,
    client: LambdaClient,
    make_function: MakeFunction,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = make_function(FAST)
    target = read_target(client, name, REGION)
    client.invoke(FunctionName=name)
    session = AwsSession(local=local_access)
    given = {"cold_share": "auto", "requests_per_month": "auto"}

    with recording(monkeypatch) as recorder:
        soon = datetime.now(UTC) + timedelta(hours=1)
        asked = check_usage("auto", "auto")
        read_usage(asked, session, client, target, soon, StopRequest())
        with closing(session.logs()) as logs, pytest.raises(Interrupted):
            run_query(
                logs,
                f"/aws/lambda/{name}",
                "limit 1",
                start_s=0,
                end_s=int(soon.timestamp()),
                pause=lambda seconds: True,
            )

    assert refused(recorder.calls, policy(name, **given)) == []
    assert added(name, **given) <= recorder.actions
    assert added(name, cold_share="2%", requests_per_month="3M") == set()


def test_reports_that_answers_lack_are_read_from_the_log_group(
    tune: Tune, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    logging = {"LogGroup": "/shop/text"}
    name = make_function({**FAST, "prints_after_report_bytes": 5000}, LoggingConfig=logging)

    with recording(monkeypatch) as recorder:
        tune(name, **PLAN)

    given = {"report_logs": True, "log_group": "/shop/text"}
    assert refused(recorder.calls, policy(name, **given)) == []
    assert added(name, **given) == {"logs:FilterLogEvents"} <= recorder.actions
    assert refused(recorder.calls, policy(name, report_logs=True)) != []


@pytest.mark.parametrize("qualifier", ["", ":$LATEST"])
def test_hooks_are_functions_that_may_be_invoked(
    tune: Tune, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch, qualifier: str
) -> None:
    name, hook = make_function(FAST), make_function(FAST)
    post = f"lambda:{hook}{qualifier}"

    with recording(monkeypatch) as recorder:
        tune(name, post=post, **PLAN)

    assert refused(recorder.calls, policy(name, post=post)) == []
    assert {call.resource for call in refused(recorder.calls, policy(name))} == set(
        _resources(policy(name, post=post), "InvokeHooks")
    )


def _resources(document: Any, sid: str) -> list[str]:
    (found,) = (statement for statement in document["Statement"] if statement["Sid"] == sid)
    return [resource.replace("${$}", "$") for resource in found["Resource"]]


def test_a_preflight_looks_at_more(
    tune: Tune, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = make_function(FAST)

    with recording(monkeypatch) as recorder:
        preflight(tune_options(name), Console(verbosity=-1), with_trial=False)

    assert refused(recorder.calls, policy(name, preflight=True)) == []
    assert added(name, preflight=True) <= recorder.actions


@pytest.mark.parametrize("key", ["events/one.json", "odd ${x}*?.json"])
def test_a_payload_in_s3_is_one_object(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    url = f"s3://bucket/{key}"

    with recording(monkeypatch) as recorder, aws_server(lambda request: answer(b"{}")) as server:
        read_object(AwsSession(local=server.access), parse_s3_url(url, "--payload"), 100)

    document = policy("orders", payload=url)
    assert recorder.actions == {"s3:GetObject"}
    assert refused(recorder.calls, document) == []
    other = Asked("s3:GetObject", "arn:aws:s3:::bucket/other.json")
    assert refused([other], document) == [other]
    assert added("orders", payload="event.json") == set()


def test_functions_can_neither_be_deleted_nor_invoked_by_their_bare_name() -> None:
    bare = "arn:aws:lambda:us-east-1:000000000000:function:orders"
    forbidden = [
        Asked("lambda:DeleteFunction", bare),
        Asked("lambda:InvokeFunction", bare),
        Asked("lambda:DeleteFunction", f"{bare}-2:1"),
        Asked("lambda:UpdateFunctionConfiguration", f"{bare}-2"),
        Asked("lambda:UpdateFunctionCode", bare),
    ]

    document = policy("orders", apply="shift=live", preflight=True, cold_share="auto")

    assert refused(forbidden, document) == forbidden


def printed(capsys: pytest.CaptureFixture[str], **given: Any) -> tuple[Any, str]:
    as_json = given.pop("json_output", False)
    code = iam(IamOptions(**{"function": "orders", **given}), Console(json_output=as_json))
    shown = capsys.readouterr()
    assert code == ExitCode.PASS
    return json.loads(shown.out), shown.err


def test_without_credentials_what_nobody_said_stays_open_and_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with recording(monkeypatch) as recorder:
        document, said = printed(capsys)

    assert recorder.calls == []
    assert set(document) == {"Version", "Statement"}
    resources = json.dumps(document)
    assert "arn:aws:lambda:REGION:ACCOUNT_ID:function:orders:*" in resources
    assert "put the region in place of REGION (--region) and the account's number" in said


@pytest.mark.parametrize(
    ("given", "arn"),
    [
        pytest.param(
            {"region": "eu-west-1", "account": "123456789012"},
            "arn:aws:lambda:eu-west-1:123456789012:function:orders",
            id="options",
        ),
        pytest.param(
            {"function": "arn:aws-cn:lambda:cn-north-1:123456789012:function:orders"},
            "arn:aws-cn:lambda:cn-north-1:123456789012:function:orders",
            id="ARN",
        ),
        pytest.param(
            {"function": "123456789012:function:orders", "region": "us-gov-west-1"},
            "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:orders",
            id="a part of an ARN",
        ),
    ],
)
def test_region_and_account_are_those_of_options_or_arn(
    given: dict[str, Any], arn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    document, said = printed(capsys, **given)

    assert document["Statement"][0]["Resource"] == [arn, f"{arn}:*"]
    assert said == ""


def test_json_has_the_policy_in_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    document, _ = printed(capsys, json_output=True)

    assert (document["kind"], document["exit_code"]) == ("tune-iam", 0)
    assert document["policy"]["Version"] == "2012-10-17"
    assert len(document["notes"]) == 1


ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"log_group": "a b"}, "--log-group: expected 1 to 512", id="log group"),
        pytest.param({"account": "12"}, "--account: expected the twelve digits", id="account"),
        pytest.param(
            {"function": ARN, "region": "eu-west-1"},
            "expected a function in eu-west-1",
            id="region",
        ),
        pytest.param(
            {"function": ARN, "account": "2" * 12}, "expected a function in 22", id="other account"
        ),
        pytest.param(
            {"function": ARN, "arch_function": ARN.replace("us-", "eu-")},
            "--arch-function: expected a function in us-east-1",
            id="two regions",
        ),
        pytest.param({"function": "orders:?"}, "a version or alias after the name", id="alias"),
        pytest.param({"apply": "there"}, "--apply: expected latest", id="apply"),
        pytest.param({"cold_share": "x"}, "--cold-share: expected", id="cold share"),
        pytest.param({"payload": "s3://x"}, "--payload: expected s3://BUCKET/KEY", id="payload"),
        pytest.param({"pre": "lambda:"}, "--pre", id="hook"),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        iam(IamOptions(**{"function": "orders", **given}), Console())


def test_a_deployed_stack_may_be_listed() -> None:
    (statement,) = (
        found
        for found in policy("orders", stack="shop")["Statement"]
        if found["Sid"] == "ListStack"
    )

    assert statement["Action"] == ["cloudformation:ListStackResources"]
    assert statement["Resource"] == [
        f"arn:aws:cloudformation:{REGION}:{'0' * 12}:stack/shop/*",
    ]
    with pytest.raises(InputError, match="--stack: expected the name or ARN"):
        policy("orders", stack="t.yaml")


def test_the_command_line_leads_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["orders", "--region", REGION, "--account", "0" * 12, "--apply", "alias=live"]
    monkeypatch.setattr(sys, "argv", ["tune", "iam", *words])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == ExitCode.PASS
    assert json.loads(capsys.readouterr().out) == policy("orders", apply="alias=live")
