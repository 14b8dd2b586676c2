"""Spends the invocations: rounds from a sampler, parallel across sizes, samples kept at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace

from tuner.invoker import Invoker
from tuner.sample import Sample
from tuner.sampler import Sampler


def measure(
    sampler: Sampler,
    invoker: Invoker,
    versions: Mapping[int, str],
    *,
    parallel: int,
    rng: random.Random,
    keep: Callable[[Sample], None],
    stopped: Callable[[], bool],
) -> tuple[Sample, ...]:
    """All samples that `sampler` asked for, in the order in which they ended.

    `parallel` invocations are in flight at most, and never two at one size, so that each version
    keeps to one environment. `keep` sees each sample as soon as it is there. When `stopped()`, the
    invocations in flight are waited for, because they are paid for.

    Raises:
        AwsError, Refused, InvalidMeasurement: from the invoker, after those in flight have ended.
        ToolError: from `keep`, when a sample cannot be kept.
    """
    samples: list[Sample] = []
    round_number = 0
    with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="invoke") as pool:
        while not stopped():
            sizes = sampler.next_round(samples, rng)
            if not sizes:
                break
            round_number += 1
            futures = [
                pool.submit(_invoke_unless, stopped, invoker, size, versions[size], round_number)
                for size in sizes
            ]
            try:
                for sample in _arriving(futures):
                    samples.append(_marked(sample, samples))
                    keep(samples[-1])
            finally:
                # What can no longer be kept is not invoked either.
                for future in futures:
                    future.cancel()
    return tuple(samples)


def _invoke_unless(
    stopped: Callable[[], bool], invoker: Invoker, size: int, version: str, round_number: int
) -> Sample | None:
    return None if stopped() else invoker.invoke(size, version, round_number)


def _arriving(futures: Sequence[Future[Sample | None]]) -> Iterator[Sample]:
    """The samples of one round as they come; the first error is raised after the last sample."""
    first_error: BaseException | None = None
    for future in as_completed(futures):
        if future.cancelled():
            continue
        error = future.exception()
        if error is None:
            sample = future.result()
            if sample is not None:
                yield sample
        elif first_error is None:
            first_error = error
            for other in futures:
                other.cancel()
    if first_error is not None:
        raise first_error


def _marked(sample: Sample, earlier: Sequence[Sample]) -> Sample:
    """`sample`, marked when the call before it at its size failed: see `Sample.after_error`."""
    previous = next((s for s in reversed(earlier) if s.memory_mb == sample.memory_mb), None)
    return replace(sample, after_error=previous is not None and previous.outcome != "measured")
