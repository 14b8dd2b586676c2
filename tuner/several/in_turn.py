"""Tunes one function after the other, each with its part of what is left of the limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from core.console import Console
from core.errors import CredentialsError, ExitCode, ToolError, exit_code_of
from core.interrupt import StopRequest
from core.text import one_line
from reports.several_document import FunctionResult
from reports.tune_findings import headline, verdict_word
from tuner.answer_view import show_document
from tuner.budget import Limits
from tuner.facts import RunFacts
from tuner.interference import check_as_planned
from tuner.preparation import read_usable, run_facts
from tuner.run import Bench, run_one
from tuner.several.planned import Planned, Reached
from tuner.several.results import without_answer
from tuner.several.shares import Used, part_of
from tuner.usage import read_usage


@dataclass(slots=True)
class InTurn:
    """The runs on all functions, in the order of their plans.

    What keeps one from being measured does not keep the others, unless it would do the same to
    them: a stop, credentials that are not accepted, a function that could not be put back.
    """

    bench: Bench
    reached: Reached
    stop: StopRequest
    clock_s: Callable[[], float] = time.monotonic
    _used: Used = field(default_factory=Used)
    _hindrance: str | None = None

    @property
    def console(self) -> Console:
        return self.bench.console

    def tune(self, plans: Sequence[Planned]) -> list[FunctionResult]:
        """What became of each."""
        self._stop_between()
        began_s, results = self.clock_s(), list[FunctionResult]()
        for position, planned in enumerate(plans):
            self._used = replace(self._used, seconds=self.clock_s() - began_s)
            left = len(plans) - position
            if not self.stop.requested:
                self.console.say(f"{planned.target.name}, {position + 1} of {len(plans)}:")
            results.append(self._result(planned, left))
            self._say(results[-1])
        return results

    def _result(self, planned: Planned, functions_left: int) -> FunctionResult:
        if self.stop.requested:
            return without_answer(
                planned, "stopped before it", self.stop.exit_code, None, begun=False
            )
        if self._hindrance is not None:
            code = ExitCode.INCONCLUSIVE
            return without_answer(planned, self._hindrance, code, None, begun=False)
        part = part_of(planned.request.limits, self._used, functions_left)
        if part is None:
            reason = "the limits leave nothing for it"
            return without_answer(planned, reason, ExitCode.INCONCLUSIVE, None, begun=False)
        return self._run(planned, part)

    def _run(self, planned: Planned, part: Limits) -> FunctionResult:
        facts: RunFacts | None = None
        try:
            facts = self._facts(planned, part)
            folder, document = run_one(self.bench, self.stop, facts)
        except ToolError as error:
            reason, code = one_line(str(error)), exit_code_of(error)
            result = without_answer(planned, reason, code, facts)
            if isinstance(error, CredentialsError):
                self._hindrance = "AWS did not accept the credentials any more"
        else:
            result = FunctionResult(
                name=planned.target.name,
                arn=planned.target.arn,
                current_mb=planned.target.memory_mb,
                verdict=document.verdict,
                exit_code=document.exit_code,
                reason=None,
                spent=document.spent,
                folder=str(folder),
                document=document,
            )
        finally:
            self._stop_between()
        if facts is not None and facts.left_behind is not None:
            self._hindrance = f"something of the run on {planned.target.name} could not be undone"
        self._count(result, facts)
        return result

    def _facts(self, planned: Planned, part: Limits) -> RunFacts:
        """What is known of the function now, which may be long after the plan was made.

        Raises:
            ToolError: when it cannot be measured any more, or is another one than was agreed to.
        """
        reached, request = self.reached, replace(planned.request, limits=part)
        session, control = reached.session, reached.control
        tenant_id = request.options.tenant_id
        target = read_usable(control, planned.target.arn, session.region, tenant_id)
        check_as_planned(target, planned.target)
        facts = run_facts(request, session, control, target, reached.local)
        if request.usage.reads_aws:
            facts.usage = read_usage(
                request.usage, session, control, target, facts.started, self.stop
            )
        return facts

    def _count(self, result: FunctionResult, facts: RunFacts | None) -> None:
        used, counted_usd = self._used, result.spent.usd
        if facts is not None:
            # With lost calls, which may be billed.
            counted_usd = max(counted_usd, facts.counted_usd)
        self._used = replace(
            used,
            invocations=used.invocations + result.spent.invocations,
            usd=used.usd + counted_usd,
        )

    def _stop_between(self) -> None:
        """What a signal means while no function is borrowed."""
        self.stop.announce(
            on_first=lambda: self.console.warn("stopping: the other functions are not begun"),
            abandon=None,
        )

    def _say(self, result: FunctionResult) -> None:
        if result.document is None:
            self.console.say(f"{result.name}: {result.verdict}: {result.reason}")
            return
        document = result.document
        self.console.say(f"{result.name}: {verdict_word(document)}: {headline(document)}")
        if self.console.verbosity >= 1:
            show_document(self.console, document)
