"""Conducts a measurement: leases the function, spends the invocations, puts everything back.

The part of a run that changes the function and costs money. What goes wrong in it ends up in the
facts of the run, as long as there are samples to answer from.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from core.aws.session import AwsSession
from core.console import Console, ProgressBar
from core.errors import AwsError, ToolError, exit_code_of
from core.text import one_line
from reports.figures import listed_sizes, usd
from tuner.budget import Ledger
from tuner.cold import cold_rounds
from tuner.facts import RunFacts
from tuner.hook_kinds.opening import open_hooks
from tuner.invoker import Invoker
from tuner.lease import Lease
from tuner.leasing import leased
from tuner.measure import Ending, Measurement
from tuner.outputs import OutputFile, output_file
from tuner.plan import FixedPlan
from tuner.redact import hidden_texts
from tuner.report_logs import report_search, search_note
from tuner.sample import Sample, SampleFile
from tuner.sampler import Sampler
from tuner.strategy import sampler_of
from tuner.time_limit import TimeLimit
from tuner.trial import make_trial, trial_doubt, trial_line

# Where further cold samples are wanted, by the samples of the measurement.
ColdSizes = Callable[[Sequence[Sample]], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run keeps its samples and its journal."""

    folder: Path
    journals: Path


def try_out(facts: RunFacts, session: AwsSession, limit: TimeLimit) -> str | None:
    """Invokes the function once as it is; the call is in `facts`, unless a stop came before it.

    Gives what a user should know of it where it did not go well, and yet may be measured.

    Raises:
        ToolError: when it cannot be measured.
    """
    if facts.plan.trial_mb is None or limit.is_over():
        return None
    with _invoker(facts, session, limit) as invoker:
        trial = make_trial(invoker, facts.plan.trial_mb, facts.target.version)
    facts.trial = trial
    if trial is None:
        return None
    target, several = facts.target, facts.payloads.is_mix
    return trial_doubt(trial, target.name, target.timeout_s, one_of_several=several)


def say_trial(facts: RunFacts, doubt: str | None, console: Console) -> None:
    """Tells how the trial went, if there was one."""
    if doubt is not None:
        console.warn(doubt)
        facts.notes.append(doubt)
    elif facts.trial is not None:
        console.say(f"trial: {trial_line(facts.trial)}")


def conduct(
    facts: RunFacts,
    session: AwsSession,
    place: Place,
    limit: TimeLimit,
    console: Console,
    cold_sizes: ColdSizes,
) -> tuple[Sample, ...]:
    """Leases, measures and releases; how that ended is in `facts`.

    `cold_sizes` says after the measurement where further cold samples are wanted.

    Raises:
        ToolError: when nothing was measured, with what may be left of the run.
    """
    stop, ledger = limit.stop, _ledger(facts)
    with (
        output_file(place.folder, keeps=facts.calls.keep_outputs) as outputs,
        _invoker(facts, session, limit, outputs) as invoker,
        SampleFile(place.folder) as kept,
    ):
        record = _Record(facts, console, kept, sampler_of(facts))
        ending: Ending = "complete"
        try:
            with leased(session, facts, place.journals, limit, console) as lease:
                published = _Published(lease, facts, console)
                measurement = Measurement(
                    caller=invoker,
                    versions=published,
                    ledger=ledger,
                    limits=facts.limits,
                    parallel=facts.plan.parallel,
                    keep=record.keep,
                    stopped=lambda: stop.requested,
                    elapsed_s=limit.elapsed_s,
                    wait=limit.wait,
                    sleep_s=facts.calls.sleep_s,
                    discard_first=facts.calls.discard_first,
                )
                try:
                    ending = _measured(measurement, record, cold_sizes)
                finally:
                    facts.counted_usd = ledger.usd
                    facts.notes.extend(filter(None, [search_note(invoker.logs)]))
        except ToolError as error:
            if not record.samples:
                raise _with_what_is_left(error, facts) from error
            facts.errors.append(one_line(str(error)))
            facts.error_code = exit_code_of(error)
        if ending == "stopped":
            facts.stop_code = stop.exit_code
        elif ending != "complete":
            facts.ended_by = ending
    return tuple(record.samples)


def _ledger(facts: RunFacts) -> Ledger:
    """What was spent before the measurement, and what its first calls are expected to cost."""
    ledger = Ledger(facts.cost_usd, facts.target.timeout_s * 1000)
    if facts.trial is not None:
        ledger.start(facts.trial.memory_mb)
        ledger.end(facts.trial.memory_mb, facts.trial)
    return ledger


def _measured(measurement: Measurement, record: _Record, cold_sizes: ColdSizes) -> Ending:
    """The sampler's calls, and further cold ones where the plan has some; how that ended."""
    facts, console = record.facts, record.console
    plan = facts.plan
    if plan.kind == "cold":
        rng, published = random.Random(plan.seed), measurement.versions
        with console.progress(plan.invocations, "cold starts") as record.progress:
            return measurement.run_cold(
                lambda taken: record.sampler.next_round(taken, published.refused_sizes, rng)
            )
    with console.progress(plan.invocations, "invocations") as record.progress:
        ending = measurement.run(record.sampler, random.Random(plan.seed))
    if ending == "complete" and record.sampler.out_of_calls and facts.has_fewer_invocations:
        ending = "max_invocations"
    if ending != "complete" or plan.cold.wanted <= 1:
        return ending
    wanted, sizes_mb = plan.cold.wanted, cold_sizes(record.samples)
    console.say(f"further cold starts at {listed_sizes(sizes_mb)}, each of a version of its own")
    with console.progress(len(sizes_mb) * (wanted - 1), "cold starts") as record.progress:
        return measurement.run_cold(lambda taken: cold_rounds(taken, sizes_mb, wanted))


@dataclass(frozen=True, slots=True)
class _Published:
    """The lease as the measurement sees it; what AWS refuses is noted at once."""

    lease: Lease
    facts: RunFacts
    console: Console

    @property
    def versions(self) -> Mapping[int, str]:
        return self.lease.versions

    @property
    def refused_sizes(self) -> Mapping[int, str]:
        return self.lease.refused_sizes

    def publish(self, sizes_mb: Sequence[int]) -> None:
        try:
            self.lease.publish(sizes_mb)
        finally:
            self._note_refused()
        for size in sizes_mb:
            if size in self.versions:
                self.console.detail(f"{size} MB is version {self.versions[size]}")

    def publish_again(self, size: int) -> str | None:
        try:
            return self.lease.publish_again(size)
        finally:
            self._note_refused()

    def discard(self, version: str) -> None:
        self.lease.discard(version)

    def _note_refused(self) -> None:
        refused = self.lease.refused_sizes
        self.facts.refused_sizes = {size: one_line(why) for size, why in refused.items()}


@contextmanager
def _invoker(
    facts: RunFacts, session: AwsSession, limit: TimeLimit, outputs: OutputFile | None = None
) -> Iterator[Invoker]:
    target, payloads = facts.target, facts.payloads
    client = session.measuring_lambda(
        function_timeout_s=target.timeout_s, concurrency=facts.plan.parallel
    )
    hooks = open_hooks(facts.hooks, target.name, session, limit.stop, at_once=facts.plan.parallel)
    with hooks as opened:
        yield Invoker(
            client,
            target.arn,
            payloads,
            limit.wait,
            hidden_texts(*payloads.contents),
            tenant_id=facts.tenant_id,
            logs=report_search(session, target, limit.wait),
            hooks=opened,
            allowed_errors=facts.calls.allowed_errors,
            keep_output=None if outputs is None else outputs.keep,
        )


@dataclass(slots=True)
class _Record:
    """Takes each sample as it comes: on disk, on the terminal, and for the answer."""

    facts: RunFacts
    console: Console
    file: SampleFile
    sampler: Sampler
    progress: ProgressBar | None = None
    samples: list[Sample] = field(default_factory=list)

    def keep(self, sample: Sample) -> None:
        self.samples.append(sample)
        self.file.append(sample)
        line = _line(sample)
        if self.progress is not None:
            self.progress.advance(f"{line}; {self.sampler.state(self.samples)}")
        self.console.detail(line)
        plan = self.facts.plan
        if len(self.samples) == plan.expected_after(len(self.facts.refused_sizes)):
            self.console.say(self._expectation())

    def _expectation(self) -> str:
        """What the whole run is going to cost, once the first sizes have answered cold and warm."""
        facts = self.facts
        expected_usd = facts.plan.expected_usd(
            self.samples, facts.price, storage_mb=facts.target.storage_mb
        )
        expected_usd += facts.trial_usd
        calls = len(self.samples)
        the_run = "the run"
        if not isinstance(facts.plan, FixedPlan):
            the_run = f"a run of {max(facts.plan.usual_calls, calls)}"
        return f"by the first {calls} calls, {the_run} will cost about {usd(expected_usd)}"


def _line(sample: Sample) -> str:
    if sample.duration_ms is None:
        return f"{sample.memory_mb} MB: {sample.error_type}"
    start = " (cold)" if sample.cold else ""
    return f"{sample.memory_mb} MB: {sample.duration_ms:.1f} ms{start}"


def _with_what_is_left(error: ToolError, facts: RunFacts) -> ToolError:
    return error if facts.left_behind is None else AwsError(f"{error}; {facts.left_behind}")
