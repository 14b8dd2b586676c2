"""What the account leaves for a run: concurrency, and storage for the versions; pure."""

from __future__ import annotations

from collections.abc import Iterator

from core.errors import AwsError, ExitCode
from tuner.plan import FixedPlan, Plan
from tuner.preflight.finding import Finding, unknown
from tuner.preflight.reading import AccountLimits

# Sizes that an adaptive plan tries: about eight (benchmarks/tuner_regret.py), sometimes more.
_SIZES_OF_ADAPTIVE = 12
# Accounts begin with 10 of the 1,000 that are usual (Lambda quotas, 2026).
_NEW_ACCOUNT = 10
# As the quota is given: 300 GB are 322,122,547,200 bytes.
_MB, _GB = 1024**2, 1024**3


def versions_of(plan: Plan) -> int:
    """About how many versions a run has at a time, at most."""
    sizes = len(plan.sizes_mb)
    return sizes if isinstance(plan, FixedPlan) else min(sizes, _SIZES_OF_ADAPTIVE)


def check_account(
    limits: AccountLimits | AwsError, reserved: int | None, parallel: int, needed_bytes: int
) -> Iterator[Finding]:
    """What is left of the account's limits; `needed_bytes` is the code of a run's versions."""
    if isinstance(limits, AwsError):
        yield unknown("account", limits, "a run waits where it is throttled")
        return
    yield _concurrency(limits, reserved, parallel)
    yield _storage(limits, needed_bytes)


def _concurrency(limits: AccountLimits, reserved: int | None, parallel: int) -> Finding:
    if reserved is not None:
        return Finding("concurrency", "ok", f"{reserved} reserved for the function")
    left = f"{limits.unreserved} for all functions that reserve none"
    if 2 * parallel > limits.unreserved:
        return Finding(
            "concurrency",
            "warning",
            f"{left}, of which the run takes up to {parallel} at once: others may be throttled",
            "lower --parallel, or ask AWS for more (quota L-B99A9384)",
        )
    if limits.concurrency <= _NEW_ACCOUNT:
        to_do = "leave --parallel at 1, or ask AWS for more (quota L-B99A9384)"
        return Finding("concurrency", "note", f"{left}, as new accounts have it", to_do)
    return Finding("concurrency", "ok", left)


def _storage(limits: AccountLimits, needed_bytes: int) -> Finding:
    left = limits.storage_bytes - limits.stored_bytes
    found = (
        f"{left / _GB:.4g} of {limits.storage_bytes / _GB:.4g} GB are left, and the versions of a "
        f"run take about {needed_bytes / _MB:.3g} MB"
    )
    if needed_bytes <= left:
        return Finding("code storage", "ok", found)
    to_do = "delete versions that are not used, or measure fewer sizes with --sizes"
    if left <= 0 and needed_bytes:
        return Finding("code storage", "problem", found, to_do, ExitCode.ERROR)
    return Finding("code storage", "warning", found, to_do)
