"""Conducts a measurement: leases the function, spends the invocations, puts everything back.

The part of a run that changes the function and costs money. What goes wrong in it ends up in the
facts of the run, as long as there are samples to answer from.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.aws.session import AwsSession
from core.console import Console, ProgressBar
from core.errors import AwsError, ToolError, exit_code_of
from core.interrupt import StopRequest
from core.text import one_line
from reports.figures import usd
from tuner.facts import RunFacts
from tuner.invoker import Invoker
from tuner.journal import Beginning, Journal
from tuner.lease import Lease
from tuner.measure import measure
from tuner.redact import hidden_texts
from tuner.sample import Sample, SampleFile
from tuner.sampler import FixedRounds, Sampler
from tuner.undo import list_versions, versions_of_run

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run keeps its samples and its journal."""

    folder: Path
    journals: Path


def conduct(
    facts: RunFacts,
    session: AwsSession,
    control: LambdaClient,
    place: Place,
    stop: StopRequest,
    console: Console,
) -> tuple[Sample, ...]:
    """Leases, measures and releases; how that ended is in `facts`.

    Raises:
        ToolError: when nothing was measured, with what may be left of the run.
    """
    plan, invoker = facts.plan, _invoker(facts, session, stop)
    with (
        SampleFile(place.folder) as kept,
        console.progress(plan.invocations, "invocations") as progress,
    ):
        record = _Record(facts, console, kept, progress)
        sampler: Sampler | None = None
        try:
            with _leased(control, facts, place.journals, stop) as lease:
                lease.publish(plan.sizes_mb)
                sampler = _sampler(facts, lease)
                for size, version in lease.versions.items():
                    console.detail(f"{size} MB is version {version}")
                measure(
                    sampler,
                    invoker,
                    lease.versions,
                    parallel=plan.parallel,
                    rng=random.Random(plan.seed),
                    keep=record.keep,
                    stopped=lambda: stop.requested,
                )
        except ToolError as error:
            if not record.samples:
                raise _with_what_is_left(error, facts) from error
            facts.errors.append(one_line(str(error)))
            facts.error_code = exit_code_of(error)
        # A signal that came when all was measured stopped nothing.
        if stop.requested and (sampler is None or _lacks(sampler, record.samples)):
            facts.stop_code = stop.exit_code
    return tuple(record.samples)


def _sampler(facts: RunFacts, lease: Lease) -> Sampler:
    facts.refused_sizes = {size: one_line(why) for size, why in lease.refused_sizes.items()}
    plan = facts.plan
    offered_mb = tuple(size for size in plan.sizes_mb if size not in facts.refused_sizes)
    return FixedRounds(offered_mb, plan.samples_per_size, plan.attempts_per_size)


def _lacks(sampler: Sampler, samples: list[Sample]) -> bool:
    return bool(sampler.next_round(samples, random.Random()))


def _invoker(facts: RunFacts, session: AwsSession, stop: StopRequest) -> Invoker:
    target, event = facts.target, facts.payload.content
    client = session.measuring_lambda(
        function_timeout_s=target.timeout_s, concurrency=facts.plan.parallel
    )
    return Invoker(client, target.arn, event, stop.wait, hidden_texts(event))


@dataclass(slots=True)
class _Record:
    """Takes each sample as it comes: on disk, on the terminal, and for the answer."""

    facts: RunFacts
    console: Console
    file: SampleFile
    progress: ProgressBar
    samples: list[Sample] = field(default_factory=list)

    def keep(self, sample: Sample) -> None:
        self.samples.append(sample)
        self.file.append(sample)
        line = _line(sample)
        self.progress.advance(line)
        self.console.detail(line)
        offered = len(self.facts.plan.sizes_mb) - len(self.facts.refused_sizes)
        if len(self.samples) == 2 * offered:
            self.console.say(self._expectation())

    def _expectation(self) -> str:
        """What the whole run is going to cost, once every size has answered cold and warm."""
        facts = self.facts
        expected_usd = facts.plan.expected_usd(
            self.samples, facts.price, storage_mb=facts.target.storage_mb
        )
        return f"by the first two rounds, the run will cost about {usd(expected_usd)}"


def _line(sample: Sample) -> str:
    if sample.duration_ms is None:
        return f"{sample.memory_mb} MB: {sample.error_type}"
    start = " (cold)" if sample.cold else ""
    return f"{sample.memory_mb} MB: {sample.duration_ms:.1f} ms{start}"


@contextmanager
def _leased(
    control: LambdaClient, facts: RunFacts, journals: Path, stop: StopRequest
) -> Iterator[Lease]:
    """The lease on the function; whatever happens inside, it is released and the journal closed.

    Where not all can be undone, `facts.left_behind` says what is left, and the journal stays for
    `tune restore`.
    """
    target = facts.target
    beginning = Beginning(
        run_id=facts.run_id,
        function_arn=target.arn,
        region=facts.region,
        endpoint_url=facts.endpoint,
        memory_mb=target.memory_mb,
        description=target.description,
        code_sha256=target.code_sha256,
        existing_versions=tuple(list_versions(control, target.arn)),
        pid=os.getpid(),
        started_utc=facts.started.isoformat(timespec="seconds"),
        revision_id=target.revision_id if target.settled else None,
    )
    journal = Journal(journals, beginning)
    lease = Lease(control, target.arn, beginning, journal, time.sleep, lambda: stop.requested)
    try:
        yield lease
    finally:
        facts.left_behind = _release(lease, facts)
        if facts.left_behind is None:
            journal.close()
        else:
            journal.leave()


def _release(lease: Lease, facts: RunFacts) -> str | None:
    """Undoes what the run changed; what is left and why, where that does not work."""
    try:
        lease.release()
    except ToolError as error:
        return one_line(
            f"not all that the run changed on {facts.target.name} could be undone: {error}"
            f"{_versions_left(lease, facts)} (`tune restore` does it when AWS allows it)"
        )
    return None


def _versions_left(lease: Lease, facts: RunFacts) -> str:
    left: tuple[str, ...]
    try:
        left = versions_of_run(lease.client, lease.function, facts.run_id)
    except ToolError:
        left, are = tuple(lease.made), "may be left"
    else:
        are = "are left" if len(left) > 1 else "is left"
    if not left:
        return ""
    return f"; version{'s' if len(left) > 1 else ''} {', '.join(left)} {are}"


def _with_what_is_left(error: ToolError, facts: RunFacts) -> ToolError:
    return error if facts.left_behind is None else AwsError(f"{error}; {facts.left_behind}")
