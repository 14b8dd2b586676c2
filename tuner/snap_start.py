"""What AWS takes for SnapStart besides the invocations of a plan; pure."""

from __future__ import annotations

from core.aws.prices import (
    SNAP_START_CACHE_LEAST_S,
    SNAP_START_CACHE_USD_PER_GB_S,
    SNAP_START_PRICES,
    SNAP_START_RESTORE_USD_PER_GB,
)
from reports.figures import usd
from tuner.plan import FixedPlan, Plan


def snap_start_note(plan: Plan, runtime: str | None) -> str | None:
    """What AWS takes for SnapStart besides the invocations; None for Java, where it is free.

    A version's snapshot is cached, for which three hours are billed at least, and restored at
    each start of an environment, of which there is at least one for each size.
    """
    if _snap_start_is_free(runtime):
        return None
    if isinstance(plan, FixedPlan):
        sizes_mb, which = plan.sizes_mb, "one snapshot for each size"
    else:
        sizes_mb, which = plan.start_mb, "one snapshot for each of the first sizes"
    cache_usd, restore_usd = _snapshots_usd(sum(sizes_mb))
    most_usd = snap_start_most_usd(plan, runtime)
    most = f", up to {usd(most_usd)} for all that may be published"
    return (
        f"SnapStart is billed besides what is said here: caching {which} costs about "
        f"{usd(cache_usd)} (3 hours at least), restoring each once {usd(restore_usd)}"
        + (most if most_usd > cache_usd + restore_usd else "")
        + f", by {SNAP_START_PRICES}"
        + ("" if runtime else "; it is free for Java")
    )


def snap_start_most_usd(plan: Plan, runtime: str | None) -> float:
    """What SnapStart may cost besides the invocations: every version that a plan may publish."""
    if _snap_start_is_free(runtime):
        return 0.0
    planned_mb = sum(plan.sizes_mb) * plan.versions_per_size
    return sum(_snapshots_usd(planned_mb + plan.cold.most_calls * max(plan.sizes_mb)))


def _snap_start_is_free(runtime: str | None) -> bool:
    return runtime is not None and runtime.startswith("java")


def _snapshots_usd(size_mb: int) -> tuple[float, float]:
    """What it costs to cache snapshots of so much memory, and to restore each once."""
    size_gb = size_mb / 1024
    return (
        size_gb * SNAP_START_CACHE_LEAST_S * SNAP_START_CACHE_USD_PER_GB_S,
        size_gb * SNAP_START_RESTORE_USD_PER_GB,
    )
