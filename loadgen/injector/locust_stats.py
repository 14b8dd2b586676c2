"""Locust's own statistics, kept in batches: its bookkeeping for each request costs more than the
request itself."""

from __future__ import annotations

import time

import numpy as np
from locust.stats import RequestStats, StatsEntry, bucket_response_time
from numpy.typing import NDArray


def log_batch(
    stats: RequestStats,
    method: str,
    name: str,
    response_ms: NDArray[np.float64],
    *,
    failed: int,
    bytes_in: int,
) -> None:
    """Adds requests that ended just now to the entry of a name and to the total."""
    if not len(response_ms):
        return
    for entry in (stats.get(name, method), stats.total):
        _log(entry, response_ms, failed, bytes_in)


def _log(entry: StatsEntry, response_ms: NDArray[np.float64], failed: int, bytes_in: int) -> None:
    now = time.time()
    second = int(now)
    n = len(response_ms)
    last = entry.last_request_timestamp
    if entry.use_response_times_cache and last and second > int(last):
        entry._cache_response_times(second - 1)
    entry.num_requests += n
    entry.num_reqs_per_sec[second] += n
    entry.last_request_timestamp = now
    entry.num_failures += failed
    entry.num_fail_per_sec[second] += failed
    entry.total_response_time += float(response_ms.sum())  # type: ignore[assignment] # Locust's own are floats as well
    low, high = float(response_ms.min()), float(response_ms.max())
    entry.min_response_time = min(
        low, low if entry.min_response_time is None else entry.min_response_time
    )  # type: ignore[assignment] # as above
    entry.max_response_time = max(high, entry.max_response_time)  # type: ignore[assignment] # as above
    entry.total_content_length += bytes_in
    values, counts = np.unique(np.ceil(response_ms), return_counts=True)
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        entry.response_times[bucket_response_time(value)] += count
