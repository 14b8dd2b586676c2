"""Which of the calls that a run makes are allowed, tried without changing anything.

Reading calls are tried by reading, Invoke by a dry run, which Lambda does not bill. Lambda looks at
permissions before anything else, so a change that it refuses for its content is one that it
allows: the update names a revision that cannot be the function's and has no new value, so that it
would change nothing even where revisions were not looked at; publishing names such a revision and
the hash of other code, and is only tried once the update has shown that revisions are looked at.
Deleting has no such guard: it is not tried.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from core.aws.session import aws_call
from core.errors import AwsError, ExitCode
from core.text import one_line
from tuner.preflight.finding import Finding

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# "unguarded": Lambda would never do what was asked for, so it is not Lambda that answers.
Outcome = Literal["allowed", "denied", "unclear", "unguarded"]

_NAME = "permission"
_DENIED = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"})
# How Lambda refuses a change for its content, or for the moment (API reference, botocore 1.44).
_REFUSED_LATER = frozenset(
    {"PreconditionFailedException", "InvalidParameterValueException", "ResourceConflictException"}
)
# The hash of an empty file, which is no package of code.
_NO_CODE_SHA256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of trying one action; `detail` is what AWS said where it is not allowed."""

    action: str
    outcome: Outcome
    detail: str = ""


def read(action: str, answer: object) -> Tried:
    """What an answer of a reading call, or the error in its place, says of the permission."""
    if not isinstance(answer, AwsError):
        return Tried(action, "allowed")
    return Tried(action, "denied" if answer.code in _DENIED else "unclear", _said(answer))


def try_invoke(client: LambdaClient, function: str, tenant_id: str | None) -> Tried:
    """A dry run of an invocation, which runs and bills nothing.

    With a version, as a run invokes it: that is another resource than the bare function.
    """
    tenant: Any = {} if tenant_id is None else {"TenantId": tenant_id}
    try:
        with aws_call("try an invocation"):
            client.invoke(
                FunctionName=function, Qualifier="$LATEST", InvocationType="DryRun", **tenant
            )
    except AwsError as error:
        return read("lambda:InvokeFunction", error)
    return Tried("lambda:InvokeFunction", "allowed")


def try_changes(client: LambdaClient, function: str) -> Iterator[Tried]:
    """Updating and publishing, by calls that Lambda refuses for their content at the latest."""
    revision = str(uuid.uuid4())
    update = _try_change(
        "lambda:UpdateFunctionConfiguration",
        lambda: client.update_function_configuration(FunctionName=function, RevisionId=revision),
    )
    yield update
    publish = "lambda:PublishVersion"
    if update.outcome not in ("allowed", "denied"):
        yield Tried(publish, "unclear", "not tried, because the update did not come out as meant")
        return
    yield _try_change(
        publish,
        lambda: client.publish_version(
            FunctionName=function, RevisionId=revision, CodeSha256=_NO_CODE_SHA256
        ),
    )


def _try_change(action: str, call: Callable[[], object]) -> Tried:
    try:
        with aws_call(f"try {action}"):
            call()
    except AwsError as error:
        if error.code in _REFUSED_LATER:
            return Tried(action, "allowed")
        return read(action, error)
    return Tried(action, "unguarded")


def _said(error: AwsError) -> str:
    return one_line(str(error.args[0]))


def check_permissions(
    needed: Sequence[Tried], useful: Sequence[Tried], function: str
) -> Iterator[Finding]:
    """What may be called: `needed` by every run, `useful` for what it says besides."""
    allowed = [tried.action for tried in (*needed, *useful) if tried.outcome == "allowed"]
    if allowed:
        yield Finding(_NAME, "ok", f"allowed: {', '.join(allowed)}")
    for tried in needed:
        yield from _lacking(tried, function)
    for tried in useful:
        if tried.outcome != "allowed":
            found = f"{tried.action}: {tried.detail}"
            yield Finding(_NAME, "note", found, "a run can be made without it")
    yield Finding(
        _NAME,
        "note",
        "lambda:DeleteFunction: cannot be tried without deleting something",
        f"make sure that it is allowed on function:{function}:*, else versions are left in the end",
    )


def _lacking(tried: Tried, function: str) -> Iterator[Finding]:
    if tried.outcome == "denied":
        yield Finding(
            _NAME,
            "problem",
            f"{tried.action} is not allowed: {tried.detail}",
            f"allow it: `tune iam {function}` prints the policy",
            ExitCode.ERROR,
        )
    elif tried.outcome == "unguarded":
        yield Finding(
            _NAME,
            "problem",
            f"{tried.action} was carried out, though Lambda refuses it for another revision",
            "see what answers at the endpoint: changes of others could not be noticed",
            ExitCode.ERROR,
        )
    elif tried.outcome == "unclear":
        yield Finding(_NAME, "warning", f"{tried.action}: could not be tried: {tried.detail}")
