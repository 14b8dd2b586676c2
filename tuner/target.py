"""The function to tune, as AWS describes it before the run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.aws.prices import Arch
from core.aws.session import aws_call, without_user_info
from core.errors import AwsError, FunctionNotFound, InputError, Refused
from tuner.settings import Settings, SettingsCopy, settings_of

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationTypeDef

# Kinds of function whose bill or life cycle a memory sweep does not describe, by the key with
# which GetFunctionConfiguration shows them (botocore 1.44).
_UNSUITABLE = {
    "CapacityProviderConfig": "it runs on Lambda Managed Instances, which are not billed by memory",
    "DurableConfig": "it is a durable function, of which one execution is several invocations",
    "AcceleratorConfig": "it has accelerators, which are billed besides its memory",
}
LATEST = "$LATEST"
# One that is Inactive wakes when it is invoked or updated.
_DEAD_STATES = frozenset({"Failed", "Deleting", "ActiveNonInvocable"})
_ARN_PARTS = 7  # arn:aws:lambda:REGION:ACCOUNT:function:NAME
_FUNCTION = re.compile(
    r"(?P<function>(?:arn:[^:]+:lambda:[^:]+:\d{12}:function:|\d{12}:function:|function:)?"
    r"[A-Za-z0-9_-]{1,140})(?::(?P<qualifier>[^:]+))?"
)
# A version, or an alias of any name (API reference).
_QUALIFIER = re.compile(r"\$LATEST|[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True, slots=True)
class Target:
    """`$LATEST` of one function, or a published version of it, as it was when it was read.

    `settings_sha256` is of all settings but memory, Description and code: environment variables
    must not be kept, but a change of one makes it another function to measure. `name` and `arn`
    are without a version.

    Of a version to tune, `qualifier` is how it was asked for, `latest` is what versions are
    published from, `copy` is what `$LATEST` needs of its settings for that, and `shares` are those
    of further versions that the alias leads to.
    """

    name: str
    arn: str
    memory_mb: int
    description: str
    timeout_s: int
    runtime: str | None
    arch: Arch
    code_sha256: str
    revision_id: str
    storage_mb: int
    log_format: str
    settled: bool  # no update in progress
    update_failure: str | None  # why the last update did not take effect
    logs_reports: bool = True  # Lambda writes a REPORT for each invocation
    snap_start: bool = False  # published versions start from a snapshot
    log_group: str | None = None  # None where AWS does not say: then it is that of the name
    settings_sha256: str = ""
    code_bytes: int = 0  # of the package; what each version takes of the account's storage
    unsuitable: str | None = None  # why a sweep of memory does not fit its kind
    dead_state: str | None = None  # one in which it is never invoked, with why
    isolates_tenants: bool = False  # each invocation has to say for which tenant it is
    reserved_concurrency: int | None = None
    version: str = LATEST
    settings: Settings = field(default_factory=Settings, repr=False, compare=False)
    qualifier: str | None = None
    latest: Target | None = None
    copy: SettingsCopy | None = field(default=None, compare=False)
    shares: tuple[tuple[str, float], ...] = ()

    @property
    def borrowed(self) -> Target:
        """`$LATEST` of the function, which is what a run changes and puts back."""
        return self.latest or self

    @property
    def said(self) -> str:
        """What to call it: with the version, and the alias that was asked for."""
        if self.qualifier is None:
            return self.name
        if self.qualifier == self.version:
            return f"{self.name}:{self.version}"
        shown = "$LATEST" if self.version == LATEST else f"version {self.version}"
        return f"{self.name}:{self.qualifier} ({shown})"


def check_function_name(function: str, option: str = "FUNCTION") -> str:
    """The name or ARN in `function`, which has no qualifier; `option` is where it is from.

    Raises:
        InputError: for anything else.
    """
    name, qualifier = split_function(function, option)
    if qualifier is not None:
        raise InputError(
            f"{option}: expected a function without a version or alias (got {function!r})"
        )
    return name


def split_function(function: str, option: str = "FUNCTION") -> tuple[str, str | None]:
    """Name or ARN of a function, and the version or alias of it that is meant, if one is.

    `$LATEST` is what a name without either means.

    Raises:
        InputError: for anything else.
    """
    if not function:
        raise InputError(f"{option}: missing, expected a function name or ARN")
    match = _FUNCTION.fullmatch(function)
    if not match:
        raise InputError(f"{option}: expected a function name or ARN (got {function!r})")
    qualifier = match.group("qualifier")
    if qualifier is not None and not _QUALIFIER.fullmatch(qualifier):
        raise InputError(f"{option}: expected a version or alias after the name (got {function!r})")
    return match.group("function"), None if qualifier == LATEST else qualifier


def check_region(function: str, region: str) -> None:
    """Makes sure that a function given by its ARN is in the region that is worked in.

    Raises:
        InputError: when it is in another one, where Lambda would only say that it is not found.
    """
    parts = function.split(":")
    if len(parts) >= _ARN_PARTS and parts[3] != region:
        raise InputError(
            f"function {function!r} is in {parts[3]}, and the region of this run is {region}",
            hint=f"give --region {parts[3]}",
        )


def read_target(client: LambdaClient, function: str, region: str) -> Target:
    """`$LATEST` of `function`, or the version that its ARN names.

    Raises:
        InputError: when it is named by an ARN of another region.
        FunctionNotFound: when it does not exist in the region.
        AwsError: when AWS does not say.
    """
    check_region(function, region)
    try:
        with aws_call(f"read function {function}"):
            answer = client.get_function(FunctionName=function)
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            raise FunctionNotFound(
                f"function {function!r}: not found in {region}",
                hint="check name and --region; `sandbox functions` lists those of --sandbox",
            ) from error
        raise
    try:
        reserved = answer.get("Concurrency", {}).get("ReservedConcurrentExecutions")
        return replace(_target(answer["Configuration"]), reserved_concurrency=reserved)
    except KeyError as error:
        # A proxy or the page of a Wi-Fi portal: boto3 takes any body of a 200 for an answer.
        endpoint = without_user_info(client.meta.endpoint_url)
        raise AwsError(
            f"could not read function {function}: what {endpoint} answers does not come from "
            f"Lambda: it has no {error}",
            hint="check AWS_ENDPOINT_URL and proxies",
        ) from error


def check_usable(target: Target) -> None:
    """Makes sure that the function is of a kind and in a state that can be measured.

    Not when it is only read: what a run has changed is put back whatever became of the function.

    Raises:
        Refused: when it is of a kind that a memory sweep does not fit.
        AwsError: when it cannot be invoked.
    """
    if target.unsuitable is not None:
        raise Refused(f"function {target.name!r}: {target.unsuitable}")
    if target.dead_state is not None:
        raise AwsError(f"function {target.name!r} is in state {target.dead_state}")


def _dead_state(answer: FunctionConfigurationTypeDef) -> str | None:
    state = answer.get("State")
    if state not in _DEAD_STATES:
        return None
    return f"{state}: {answer.get('StateReason', 'AWS gives no reason')}"


def _target(answer: FunctionConfigurationTypeDef) -> Target:
    architectures = answer.get("Architectures") or ["x86_64"]
    logging = answer.get("LoggingConfig", {})
    settings = settings_of(answer)
    return Target(
        name=answer["FunctionName"],
        arn=_unqualified(answer["FunctionArn"]),
        memory_mb=answer["MemorySize"],
        description=answer.get("Description", ""),
        timeout_s=answer["Timeout"],
        runtime=answer.get("Runtime"),
        arch="arm64" if architectures[0] == "arm64" else "x86_64",
        code_sha256=answer["CodeSha256"],
        revision_id=answer["RevisionId"],
        storage_mb=answer.get("EphemeralStorage", {}).get("Size", 512),
        log_format=logging.get("LogFormat", "Text"),
        settled=answer.get("State", "Active") != "Pending"
        and answer.get("LastUpdateStatus", "Successful") != "InProgress",
        update_failure=answer.get("LastUpdateStatusReason", "no reason given")
        if answer.get("LastUpdateStatus") == "Failed"
        else None,
        # A REPORT is a platform event of level INFO; only JSON logs are filtered by level.
        logs_reports=not (
            logging.get("LogFormat") == "JSON" and logging.get("SystemLogLevel") == "WARN"
        ),
        snap_start=answer.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions",
        log_group=logging.get("LogGroup"),
        settings_sha256=settings.sha256,
        settings=settings,
        version=answer.get("Version", LATEST),
        unsuitable=next((why for key, why in _UNSUITABLE.items() if answer.get(key)), None),
        dead_state=_dead_state(answer),
        isolates_tenants=bool(answer.get("TenancyConfig")),
        code_bytes=answer.get("CodeSize", 0),
    )


def _unqualified(arn: str) -> str:
    return ":".join(arn.split(":")[:7])
