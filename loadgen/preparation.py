"""Everything that is known before the first request: profile, target, limits, plan and cost."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from core.aws.functions import FunctionSize, function_size
from core.aws.gateway_prices import gateway_prices
from core.aws.prices import bundled_prices
from core.aws.session import AwsSession, LocalAccess
from core.errors import InputError, Refused
from core.local_aws import local_aws
from loadgen.api_url import parse_api_url
from loadgen.asking import Asking
from loadgen.auth.given import hidden_arguments
from loadgen.auth.sources import Sources
from loadgen.body_sizes import body_sizes
from loadgen.cost import Billing, CostRange, StepFunction, Tariff, estimate, tariff, with_retries
from loadgen.expected import Expected, expected
from loadgen.guards import check_hosts, check_plan, host_of, is_loopback
from loadgen.limits import Limits
from loadgen.limits_reading import read_limits
from loadgen.options import RunOptions
from loadgen.profile.model import Profile
from loadgen.profile.reader import ProfileFile, read_profile
from loadgen.quota.use import check_quota_share, used_quotas
from loadgen.retry.policy import most_attempts
from loadgen.schedule import PhasePlan, plan_phases
from loadgen.steps import StepInfo, method_and_path, step_infos
from loadgen.target import Resolved, resolve, session_region
from loadgen.thresholds import Rule, rules_of
from reports.load_document import ConfiguredLimit, TargetFacts


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that may begin; `profile` is the file's with the options of the command line in it."""

    file: ProfileFile
    profile: Profile
    seed: int
    phases: tuple[PhasePlan, ...]
    steps: tuple[StepInfo, ...]
    rules: tuple[Rule, ...]
    session: AwsSession | None
    resolved: Resolved
    limits: Limits
    expected: Expected
    tariff: Tariff
    estimate: CostRange
    functions: tuple[StepFunction, ...]  # behind the steps, also where nothing is billed
    sources: Sources
    notes: tuple[str, ...]
    list_tariff: Tariff | None = None  # that of AWS for such a target, also for a local one

    @property
    def plan(
        self,
    ) -> tuple[
        TargetFacts, Profile, tuple[PhasePlan, ...], Expected, CostRange, list[ConfiguredLimit]
    ]:
        """What is shown of the run before it begins."""
        return (
            self.resolved.facts,
            self.profile,
            self.phases,
            self.expected,
            self.estimate,
            self.limits.configured,
        )


def read_options(options: RunOptions) -> tuple[ProfileFile, Profile]:
    """The profile of a run, with what the command line says in it.

    Raises:
        InputError, InputErrors: something in it is not right.
    """
    file = read_profile(options.profile, environment=options.environment, settings=options.settings)
    load: dict[str, Any] = {}
    if options.processes is not None:
        load["processes"] = options.processes
    if options.seed is not None:
        load["seed"] = options.seed
    changes: dict[str, Any] = {"load": file.profile.load.model_copy(update=load)}
    aws = {"region": options.region, "profile": options.aws_profile}
    given: dict[str, Any] = {name: value for name, value in aws.items() if value}
    if options.logs is not None:
        given["logs"] = options.logs
    changes["aws"] = file.profile.aws.model_copy(update=given)
    api = file.profile.target.api
    if options.region is not None and api is not None:
        # An option outranks the file.
        api = api.model_copy(update={"region": options.region})
        changes["target"] = file.profile.target.model_copy(update={"api": api})
    if options.records is not None:
        changes["output"] = file.profile.output.model_copy(update={"records": options.records})
    profile = file.profile.model_copy(update=changes)
    _check_shares(profile)
    return file, profile


def _check_shares(profile: Profile) -> None:
    """Each injector has one of what is of the whole run, at least."""
    load = profile.load
    limits = {"http.max_connections": profile.http.max_connections}
    if load.model == "open":
        limits["load.max_in_flight"] = load.max_in_flight
    for name, most in limits.items():
        if most < load.processes:
            raise InputError(
                f"{name}: must be at least the number of processes (got {most} for "
                f"{load.processes})",
                hint=f"it is of the whole run; raise it, or use --processes {most}",
            )


@contextmanager
def access(
    options: RunOptions, file: ProfileFile, profile: Profile
) -> Iterator[LocalAccess | None]:
    """A sandbox with the profile's stack for as long as the context lasts, if one is asked for."""
    if not options.sandbox:
        yield None
        return
    if options.aws_profile:
        raise InputError("--profile: has no meaning with --sandbox, which needs no account")
    beside = file.base_dir / profile.sandbox.stack
    stack = str(beside) if beside.is_file() else profile.sandbox.stack
    arguments = ["--no-functions", "--stack", stack]
    region = session_region(profile)
    if region is not None:
        arguments += ["--region", region]
    with local_aws(arguments) as local:
        yield local


def prepare(
    file: ProfileFile,
    profile: Profile,
    local: LocalAccess | None,
    *,
    warn: Callable[[str], None],
) -> Prepared:
    """Looks everything up that a run needs, and checks it against the guards.

    Raises:
        InputError: the target cannot be found, or credentials cannot be fetched.
        AwsError: AWS does not say where the target is.
        Refused: the target or the plan is beyond a guard.
    """
    session, notes = _session(profile, local)
    resolved = resolve(profile, session)
    check_hosts(resolved.base_url, profile.guards)
    if local is not None and not is_loopback(host_of(resolved.base_url)):
        raise Refused(
            f"--sandbox: the target {resolved.base_url} is not in the sandbox",
            hint="name the API in target.api instead of its URL, or leave --sandbox out",
        )
    phases, steps = plan_phases(profile), _steps_as_written(file, profile)
    limits = read_limits(resolved, profile, session if profile.aws.discover else None)
    plan = expected(profile, phases)
    asking = Asking(notes)
    functions = _functions(limits, session, asking)
    price = partial(
        tariff,
        region=resolved.facts.region,
        functions=functions,
        gateway=gateway_prices(),
        prices=bundled_prices(),
        body_bytes={
            number: size.bytes
            for number, size in enumerate(body_sizes(profile, file.base_dir))
            if size is not None
        },
    )
    billing, prices = _aws_billing(resolved), price(_billing(resolved))
    attempts = most_attempts(profile)
    cost = with_retries(estimate(prices, plan.requests, plan.by_step), attempts)
    if attempts > 1:
        notes.append(f"clients send again, up to {attempts} requests for each in this plan")
    check_plan(plan, profile.guards, cost)
    check_quota_share(
        used_quotas(limits),
        None if plan.requests is None else plan.by_step,
        profile.guards.max_quota_share,
    )
    sources = Sources(profile, file.base_dir, _session_factory(local), warn=warn)
    sources.current()
    notes += sources.ending_before(time.time() + plan.duration_s)
    return Prepared(
        file=file,
        profile=profile,
        seed=secrets.randbelow(2**32) if profile.load.seed is None else profile.load.seed,
        phases=phases,
        steps=steps,
        rules=tuple(rules_of(profile.thresholds, phases, steps)),
        session=session,
        resolved=resolved,
        limits=limits,
        expected=plan,
        tariff=prices,
        list_tariff=None if billing is None else price(billing),
        estimate=cost,
        functions=tuple(functions),
        sources=sources,
        notes=(*notes, *resolved.notes, *limits.notes),
    )


def recorded_arguments(words: list[str]) -> list[str]:
    """A command line for the record, without what may be secret."""
    readable = [word.encode(errors="surrogateescape").decode(errors="replace") for word in words]
    return hidden_arguments(readable)


def _session(profile: Profile, local: LocalAccess | None) -> tuple[AwsSession | None, list[str]]:
    """AWS as the target and the evidence need it; a plain URL can do without."""
    url = profile.target.url
    if url is not None and parse_api_url(url) is None:
        return None, []  # nothing of it is in AWS's books
    name = None if local else profile.aws.profile
    try:
        return AwsSession(region=session_region(profile), profile=name, local=local), []
    except InputError as error:
        if url is None or profile.aws.profile:
            raise
        return None, [f"limits and logs are not looked up: {error}"]


def _session_factory(
    local: LocalAccess | None,
) -> Callable[[str | None, str | None], AwsSession]:
    def make(region: str | None, profile: str | None) -> AwsSession:
        return AwsSession(region=region, profile=None if local else profile, local=local)

    return make


def _steps_as_written(file: ProfileFile, profile: Profile) -> tuple[StepInfo, ...]:
    """The steps for the result: what the environment has in their paths may be secret."""
    places = [
        ("scenarios", number, "flow", index, request[0].lower())
        for number, scenario in enumerate(profile.scenarios)
        for index, step in enumerate(scenario.flow)
        if (request := method_and_path(step)) is not None
    ]
    return tuple(
        replace(step, path=file.written.get(place, step.path))
        for step, place in zip(step_infos(profile), places, strict=True)
    )


def _billing(resolved: Resolved) -> Billing:
    if is_loopback(host_of(resolved.base_url)):
        return "local"
    return _aws_billing(resolved) or "unknown"


def _aws_billing(resolved: Resolved) -> Billing | None:
    """Who bills such a target in AWS; None where nobody knows what it is."""
    kind = resolved.facts.api_kind
    if kind in ("rest", "http"):
        return "rest" if kind == "rest" else "http"
    return "function_url" if ".lambda-url." in host_of(resolved.base_url) else None


def _functions(limits: Limits, session: AwsSession | None, asking: Asking) -> list[StepFunction]:
    """The functions behind the steps, as far as their size can be read."""
    found: list[StepFunction] = []
    if session is None:
        return found
    sizes: dict[tuple[str, str | None], FunctionSize | None] = {}
    for step in limits.steps:
        if step.function is None:
            continue
        called = step.function, step.qualifier
        if called not in sizes:
            sizes[called] = asking.ask(
                f"memory and timeout of function {step.function}",
                partial(function_size, session, *called),
                "lambda:GetFunctionConfiguration",
            )
        size = sizes[called]
        if size is not None:
            found.append(
                StepFunction(step.step, step.function, size.memory_mb, size.arch, size.timeout_s)
            )
    return found
