"""`tune preflight FUNCTION`: the whole sequence, and what it costs: one call, if that is agreed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.aws.session import AwsSession, LocalAccess
from core.confirm import confirm
from core.console import Console
from core.errors import ExitCode, InputError, Refused, ToolError
from core.interrupt import StopRequest
from core.local_aws import local_aws
from tuner.conduct import try_out
from tuner.facts import RunFacts
from tuner.hook_kinds.opening import check_hooks
from tuner.journal import state_folder
from tuner.open_journals import read_journals
from tuner.options import TuneOptions, TuneRequest, check_options
from tuner.preflight.account_checks import check_account, versions_of
from tuner.preflight.finding import Finding, exit_code, problem
from tuner.preflight.function_checks import check_function, check_logs, check_size
from tuner.preflight.permissions import Tried, check_permissions, read, try_changes, try_invoke
from tuner.preflight.place_checks import check_caller, check_place, check_prices
from tuner.preflight.reading import (
    Shown,
    asked,
    read_aliases,
    read_function,
    read_limits,
    read_log_group,
)
from tuner.preflight.run_checks import check_journals, check_versions
from tuner.preflight.trial_checks import NAME as TRIAL
from tuner.preflight.trial_checks import check_cost, check_trial
from tuner.preflight.view import Section, findings_document, show_findings
from tuner.preparation import read_usable, run_facts
from tuner.target import Target
from tuner.time_limit import TimeLimit
from tuner.versions import list_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def preflight(options: TuneOptions, console: Console, *, with_trial: bool) -> ExitCode:
    """Looks at everything that a run with these options needs; changes nothing.

    `with_trial` invokes the function once, where the user agrees to it.

    Raises:
        InputError: when an option is wrong, or there is no region.
        AwsError: when the payload is on S3 and cannot be read.
    """
    request = check_options(options)
    with local_aws() if options.sandbox else nullcontext() as local:
        session = AwsSession(region=options.region, profile=options.profile, local=local)
        control = session.control_lambda()
        look = _Look(request, session, control, local, console, with_trial=with_trial)
        sections = tuple(look.sections())
    if console.json_output:
        console.document(findings_document(sections))
    show_findings(console, sections)
    return exit_code([finding for section in sections for finding in section.findings])


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at what a run needs, and what with."""

    request: TuneRequest
    session: AwsSession
    control: LambdaClient
    local: LocalAccess | None
    console: Console
    with_trial: bool

    def sections(self) -> Iterator[Section]:
        """What is found, section by section; only the first where there are no credentials."""
        options = self.request.options
        place = Section("account", tuple(self._place()))
        yield place
        if exit_code(place.findings) == ExitCode.ERROR:
            return
        functions = [options.function, *([options.arch_function] if options.arch_function else [])]
        no_trial = self._why_no_trial(functions)
        for function in functions:
            yield Section(function, tuple(self._function(function, no_trial)))

    def _place(self) -> Iterator[Finding]:
        yield check_caller(asked(self.session.caller))
        yield check_place(self.session.region, self.session.custom_endpoint(self.control))
        yield check_prices(self.request.prices, self.session.region)
        if self.request.hooks.all:
            yield self._hooks()

    def _hooks(self) -> Finding:
        try:
            check_hooks(self.request.hooks, self.session, self.control)
        except ToolError as error:
            return problem("hooks", error)
        return Finding("hooks", "ok", "they are there; none was run")

    def _why_no_trial(self, functions: list[str]) -> Finding | None:
        """Why there is no trial; None where there is one."""
        if not self.with_trial:
            return Finding(TRIAL, "note", "left out with --no-trial")
        if self.request.options.yes:
            return None
        calls = "runs once" if len(functions) == 1 else "run once each"
        try:
            confirm(
                f"the trial: {' and '.join(functions)} {calls}, with all that it does and costs",
                "invoke it?",
                self.console,
            )
        except Refused as refusal:
            return Finding(TRIAL, "note", str(refusal.args[0]), "--yes agrees to it")
        return None

    def _function(self, function: str, no_trial: Finding | None) -> Iterator[Finding]:
        usable = self._usable(function)
        try:
            shown = read_function(self.control, function)
        except ToolError as error:
            yield problem("function", usable if isinstance(usable, ToolError) else error)
            return
        yield from check_function(shown, usable)
        yield check_logs(shown, asked(lambda: read_log_group(self.session, shown.log_group)))
        facts = self._facts(usable)
        if isinstance(facts, RunFacts):
            yield check_size(shown, facts.price)
            yield check_cost(facts)
        elif not isinstance(usable, ToolError):
            yield problem("run", facts)
        yield from self._around(shown, facts)
        if no_trial is not None:
            yield no_trial
        elif isinstance(facts, RunFacts):
            yield self._trial(facts)

    def _usable(self, function: str) -> Target | ToolError:
        """The function as `tune` takes it, or why it does not."""
        tenant_id = self.request.options.tenant_id
        try:
            return read_usable(self.control, function, self.session.region, tenant_id)
        except ToolError as error:
            return error

    def _facts(self, usable: Target | ToolError) -> RunFacts | ToolError:
        if isinstance(usable, ToolError):
            return usable
        try:
            return run_facts(self.request, self.session, self.control, usable, self.local)
        except InputError as error:
            return error

    def _around(self, shown: Shown, facts: RunFacts | ToolError) -> Iterator[Finding]:
        """The account's limits, what is on the function already, and what may be called."""
        control, endpoint = self.control, self.session.custom_endpoint(self.control)
        limits = asked(lambda: read_limits(control))
        plan = facts.plan if isinstance(facts, RunFacts) else None
        count = 1 if plan is None else versions_of(plan)
        parallel = self.request.options.parallel if plan is None else plan.parallel
        yield from check_account(
            limits, shown.reserved_concurrency, parallel, count * shown.code_bytes
        )
        versions = asked(lambda: list_versions(control, shown.arn))
        aliases = asked(lambda: read_aliases(control, shown.arn))
        yield from check_versions(shown.name, versions, aliases)
        if isinstance(facts, RunFacts):
            yield from (Finding("plan", "note", note) for note in facts.plan.notes)
        yield from check_journals(read_journals(state_folder()).open, shown.arn, endpoint)
        needed = [
            Tried("lambda:GetFunction", "allowed"),
            read("lambda:ListVersionsByFunction", versions),
            try_invoke(control, shown.arn, self.request.options.tenant_id),
            *try_changes(control, shown.arn),
        ]
        useful = [
            read("lambda:GetAccountSettings", limits),
            read("lambda:ListAliases", aliases),
        ]
        yield from check_permissions(needed, useful, shown.name)

    def _trial(self, facts: RunFacts) -> Finding:
        outcome: str | ToolError | None
        with StopRequest(on_first=lambda: self.console.warn("stopping after the call")) as stop:
            try:
                outcome = try_out(facts, self.session, TimeLimit(stop))
            except ToolError as error:
                outcome = error
        return check_trial(facts, outcome)
