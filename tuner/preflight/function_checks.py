"""The function as it is: whether it can be tuned, and what to expect of a run on it; pure."""

from __future__ import annotations

from collections.abc import Iterator

from core.aws.prices import LambdaPrice
from core.errors import AwsError, ToolError
from reports.figures import megabytes, usd
from tuner.preflight.finding import Finding, problem, unknown
from tuner.preflight.reading import Shown
from tuner.target import LATEST, Target

# NAT gateways forget a connection that was silent for so long (Amazon VPC user guide).
_SILENT_MOST_S = 350
_GB = 1e9
# Below that a log group is as good as empty: a query scans it for less than a ten-thousandth USD.
_LITTLE_GB = 0.01


def check_function(shown: Shown, usable: Target | ToolError) -> Iterator[Finding]:
    """Whether a run may begin on the function, and all that it shows of itself."""
    if isinstance(usable, ToolError):
        yield problem("function", usable)
    else:
        alias = (
            f", alias {usable.qualifier}" if usable.qualifier not in (None, usable.version) else ""
        )
        version = usable.version if usable.version == LATEST else f"version {usable.version}"
        # The account section has region and partition: an ARN would be cut at 80 columns.
        account = shown.arn.split(":")[4]
        yield Finding("function", "ok", f"{shown.name} of account {account}, {version}{alias}")
    yield _state(shown)
    yield check_update(shown.update_status, shown.update_reason)
    runtime = shown.runtime or "the runtime of its image"
    yield Finding("code", "ok", f"{runtime}, {shown.arch}, {shown.package}")
    yield Finding("code hash", "ok", shown.code_sha256)
    yield from _surroundings(shown)
    yield _timeout(shown)


def _state(shown: Shown) -> Finding:
    if shown.state == "Active":
        return Finding("state", "ok", "Active")
    if shown.state == "Inactive":
        to_do = "invoke it once, which wakes it, and wait until it is Active"
        return Finding("state", "warning", "Inactive: it was idle for long", to_do)
    if shown.state == "Pending":
        to_do = "a run waits until it is Active"
        return Finding("state", "note", "Pending: it is being made", to_do)
    return Finding("state", "warning", shown.state)


def check_update(status: str, reason: str) -> Finding:
    """Whether the function is what its settings say."""
    if status == "Failed":
        return Finding(
            "last update",
            "warning",
            f"did not take effect: {reason}",
            "update it again: what runs may not be what is shown",
        )
    if status == "InProgress":
        return Finding("last update", "note", "in progress", "a run waits until it is done")
    return Finding("last update", "ok", status)


def _surroundings(shown: Shown) -> Iterator[Finding]:
    if shown.vpc_id is not None:
        yield Finding(
            "network",
            "note",
            f"in {shown.vpc_id}, {shown.subnets} subnets",
            "what it calls from there meets the load of the run",
        )
    if shown.layers:
        yield Finding(
            "layers",
            "ok",
            f"{shown.layers}; extensions in them run and print in every call",
        )
    if shown.snap_start:
        yield Finding(
            "SnapStart",
            "note",
            "each version that is published makes a snapshot, which takes minutes and is billed",
            "the plan says how much that is about: `tune --dry-run`",
        )


def _timeout(shown: Shown) -> Finding:
    if shown.timeout_s <= _SILENT_MOST_S:
        return Finding("timeout", "ok", f"{shown.timeout_s} s")
    return Finding(
        "timeout",
        "note",
        f"{shown.timeout_s} s: connections that are silent for more than {_SILENT_MOST_S} s are "
        "dropped by NAT gateways, and such a call is lost",
        "run it where there is none in between, if calls take so long",
    )


def check_logs(shown: Shown, stored_bytes: int | AwsError | None) -> Finding:
    """Where REPORT lines go; that they are written at all is in the finding on the function."""
    where = f"{shown.log_format} in {shown.log_group}"
    if isinstance(stored_bytes, AwsError):
        return unknown("logs", stored_bytes, "it is only read for `--cold-share auto`")
    if stored_bytes is None:
        return Finding("logs", "note", f"{where}, which does not exist yet")
    stored_gb = stored_bytes / _GB
    held = f"{stored_gb:.3g}" if stored_gb >= _LITTLE_GB else f"less than {_LITTLE_GB}"
    return Finding("logs", "ok", f"{where}, which holds {held} GB")


def check_size(shown: Shown, price: LambdaPrice) -> Finding:
    """What the function costs today."""
    gb_second_usd = f"{price.gb_second_usd:.10f}".rstrip("0")
    return Finding(
        "size",
        "ok",
        f"{megabytes(shown.memory_mb)}, ${gb_second_usd} per GB-s and "
        f"{usd(price.request_usd * 1e6)} per million calls",
    )
