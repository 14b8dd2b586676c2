"""The policy for what a command line asks for; pure.

Actions and the resources that they take are those of the Service Authorization Reference (2026).
Lambda looks at the ARN with the version where a call names one, so both forms are there. Deleting
and invoking are allowed with a version only: the function itself can neither be deleted nor, by
its bare name, be invoked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.aws.s3 import S3Place
from tuner.apply.destination import Destination
from tuner.hook_kinds.asked import LambdaAsked
from tuner.iam.place import Place

Statement = dict[str, object]
_ALL = "*"
# In resources these three have a meaning of their own (IAM user guide, policy variables).
_SPECIAL = str.maketrans({char: f"${{{char}}}" for char in "*?$"})


@dataclass(frozen=True, slots=True)
class Needs:
    """What is going to be done, and with what.

    `functions` are those that are tuned, by name. `log_groups` are theirs, in the same order.
    `stack` is a deployed one that lists them, by name or ARN.
    """

    place: Place
    functions: Sequence[str]
    log_groups: Sequence[str]
    dry_run: bool = False
    reads_starts: bool = False
    reads_requests: bool = False
    reads_reports: bool = False
    payloads: Sequence[S3Place] = ()
    hooks: Sequence[LambdaAsked] = ()
    apply: Destination | None = None
    preflight: bool = False
    reads_alias: bool = False
    stack: str | None = None


def policy_of(needs: Needs) -> Mapping[str, object]:
    """The IAM policy document."""
    return {"Version": "2012-10-17", "Statement": list(_statements(needs))}


def _statements(needs: Needs) -> Iterator[Statement]:
    if needs.stack is not None:
        stacks = [needs.place.stack(needs.stack)]
        yield _allow("ListStack", ["cloudformation:ListStackResources"], stacks)
    yield from _reading(needs)
    if not needs.dry_run:
        yield from _changing(needs)
        yield from _applying(needs)
        yield from _logs_and_metrics(needs)
    if needs.payloads:
        resources = [_object(needs.place, payload) for payload in needs.payloads]
        yield _allow("ReadPayloads", ["s3:GetObject"], resources)
    if needs.hooks:
        resources = [arn for hook in needs.hooks for arn in _hook(needs, hook)]
        yield _allow("InvokeHooks", ["lambda:InvokeFunction"], resources)


def _reading(needs: Needs) -> Iterator[Statement]:
    actions = ["lambda:GetFunction", "lambda:ListProvisionedConcurrencyConfigs"]
    if not needs.dry_run:
        actions += ["lambda:GetFunctionConcurrency", "lambda:ListVersionsByFunction"]
    if needs.preflight or (needs.apply is not None and needs.apply.alias is not None):
        actions.append("lambda:ListAliases")
    if needs.reads_alias:
        actions.append("lambda:GetAlias")
    yield _allow("ReadFunction", actions, _both(needs))
    yield _allow("ReadLimits", ["lambda:GetAccountSettings"], [_ALL])
    if needs.preflight:
        groups = [needs.place.log_group(_ALL).removesuffix(":*")]
        yield _allow("LookAtLogGroups", ["logs:DescribeLogGroups"], groups)


def _changing(needs: Needs) -> Iterator[Statement]:
    bare, versions = _bare(needs), _versions(needs)
    changing = ["lambda:PublishVersion", "lambda:UpdateFunctionConfiguration"]
    yield _allow("BorrowFunction", changing, bare)
    yield _allow("InvokeVersions", ["lambda:InvokeFunction"], versions)
    yield _allow("DeleteVersions", ["lambda:DeleteFunction"], versions)


def _applying(needs: Needs) -> Iterator[Statement]:
    if needs.apply is None or needs.apply.alias is None:
        return
    actions = ["lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig", "lambda:UpdateAlias"]
    bare = needs.place.function(needs.functions[0])
    yield _allow("MoveAlias", actions, [bare, f"{bare}:*"])


def _logs_and_metrics(needs: Needs) -> Iterator[Statement]:
    groups = [needs.place.log_group(name) for name in needs.log_groups]
    # Shares of cold calls are read of the first function only.
    if needs.reads_starts:
        yield _allow("QueryLogs", ["logs:StartQuery"], groups[:1])
        yield _allow("ReadQueries", ["logs:GetQueryResults", "logs:StopQuery"], [_ALL])
    if needs.reads_reports:
        yield _allow("ReadReports", ["logs:FilterLogEvents"], groups)
    shift = needs.apply.shift if needs.apply is not None else None
    metrics = []
    if shift is not None and shift.alarms:
        # With a narrower scope composite alarms are not told of.
        metrics.append("cloudwatch:DescribeAlarms")
    if needs.reads_requests or shift is not None:
        metrics.append("cloudwatch:GetMetricStatistics")
    if metrics:
        yield _allow("ReadMetrics", metrics, [_ALL])


def _bare(needs: Needs) -> list[str]:
    return [needs.place.function(name) for name in needs.functions]


def _versions(needs: Needs) -> list[str]:
    return [f"{arn}:*" for arn in _bare(needs)]


def _both(needs: Needs) -> list[str]:
    return [*_bare(needs), *_versions(needs)]


def _object(place: Place, payload: S3Place) -> str:
    key = payload.key.translate(_SPECIAL)
    if payload.bucket.startswith("arn:"):
        return f"{payload.bucket}/object/{key}"
    return f"arn:{place.partition}:s3:::{payload.bucket}/{key}"


def _hook(needs: Needs, hook: LambdaAsked) -> list[str]:
    """A hook is asked for without running it, under the name that the user gave, and then run."""
    is_whole = hook.function.startswith("arn:")
    arn = hook.function if is_whole else needs.place.function(hook.function)
    if hook.qualifier is not None:
        return [f"{arn}:{hook.qualifier.translate(_SPECIAL)}"]
    run = f"{arn}:{'$LATEST'.translate(_SPECIAL)}"
    return [arn] if needs.dry_run else [arn, run]


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str]) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": list(dict.fromkeys(resources)),
    }
