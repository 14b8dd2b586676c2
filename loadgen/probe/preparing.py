"""All of a probe that is known before its first request: whom it sends as, and what it may take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.aws.account_quotas import throttle_quota
from core.aws.gateway import GatewayReader, Route, Throttle
from core.aws.session import LocalAccess
from core.errors import AwsError, Refused
from loadgen.cost import CostRange, estimate
from loadgen.limits import StepLimits
from loadgen.outcome import Cause
from loadgen.preparation import Prepared, prepare
from loadgen.probe.compare import Configured
from loadgen.probe.identities import Choice, chosen
from loadgen.probe.options import LimitsOptions
from loadgen.probe.predict import Prediction, is_of_account, predict
from loadgen.probe.setup import Caps, Setup
from loadgen.profile.model import Phase, Profile
from loadgen.profile.reader import ProfileFile
from reports.figures import usd

# Requests are spread over so many kept connections: a limit that is kept by connection shows then.
CONNECTIONS = 64
_MOST_PASSES = 3


@dataclass(frozen=True, slots=True)
class Ready:
    """A probe that may begin."""

    prepared: Prepared
    setup: Setup
    choice: Choice
    configured: Configured
    prediction: Prediction
    cost: CostRange
    worst: CostRange  # if it takes all that limits.max_admitted allows
    notes: tuple[str, ...]


def ready(
    options: LimitsOptions,
    file: ProfileFile,
    profile: Profile,
    local: LocalAccess | None,
    warn: Callable[[str], None],
) -> Ready:
    """Looks up what a probe needs.

    Raises:
        InputError: no scenario fits, or the target or credentials cannot be had.
        Refused: the target or the probe is beyond a guard.
    """
    prepared, choice = _prepared(options, file, probed_profile(profile), local, warn)
    path = next((one for one in prepared.limits.steps if one.step == choice.base.step), None)
    notes: list[str] = []
    _check_refusals(prepared, notes)
    setup = _setup(profile, choice, path, notes, account=options.account)
    configured = Configured(path, _unknown(prepared, path), _quota(prepared, notes))
    if is_of_account(setup, prepared.limits) and not setup.account_allowed:
        raise Refused(
            "by the configuration the bucket of the account binds first, which every API of the "
            "account and region shares",
            hint="`limits: {account: true}` or --account allows to drain it",
        )
    steps_of = {
        one.scenario: one.step
        for one in (choice.base, *choice.others.values(), choice.canary)
        if one is not None
    }
    prediction = predict(setup, prepared.limits, prepared.steps, steps_of, prepared.seed)
    if not prediction.known:
        notes.append("no throttle on the path is known: what is predicted is a ramp to the end")
    cost = estimate(prepared.tariff, prediction.admitted, prediction.admitted_by_step)
    most = [0.0] * len(prepared.steps)
    most[choice.base.step] = float(setup.caps.max_admitted)
    worst = estimate(prepared.tariff, float(setup.caps.max_admitted), most)
    _check_cost(profile, cost)
    return Ready(prepared, setup, choice, configured, prediction, cost, worst, tuple(notes))


def probed_profile(profile: Profile) -> Profile:
    """The profile without what a probe does not do: its phases, thresholds and modelled clients."""
    phase = Phase.model_validate({"name": "probe", "pause": 1})
    load = profile.load.model_copy(update={"model": "open", "phases": (phase,), "think": None})
    scenarios = tuple(one.model_copy(update={"retry": None}) for one in profile.scenarios)
    guards = profile.guards.model_copy(update={"max_quota_share": None})
    changes = {
        "load": load,
        "thresholds": (),
        "retry": None,
        "scenarios": scenarios,
        "guards": guards,
        "output": profile.output.model_copy(update={"records": True}),
    }
    return profile.model_copy(update=changes)


def _prepared(
    options: LimitsOptions,
    file: ProfileFile,
    profile: Profile,
    local: LocalAccess | None,
    warn: Callable[[str], None],
) -> tuple[Prepared, Choice]:
    """Prepares, and again where an identity had to be derived from what was read."""
    choice = chosen(profile, wanted=options.scenario)
    for _ in range(_MOST_PASSES):
        prepared = prepare(file, choice.profile, local, warn=warn)
        api = prepared.resolved.api
        found = chosen(
            choice.profile,
            wanted=choice.base.name,
            limits=prepared.limits,
            routes=() if "method" in choice.others else _routes(prepared),
            stage=None if api is None else api.stage,
        )
        if found.profile == choice.profile:
            return prepared, found
        choice = found
    return prepared, choice


def _routes(prepared: Prepared) -> Sequence[Route]:
    api, session = prepared.resolved.api, prepared.session
    discover = prepared.profile.aws.discover
    if api is None or api.kind is None or session is None or not discover or api.base_path:
        return ()
    try:
        routes = GatewayReader(session).routes(api.kind, api.id)
    except AwsError:
        return ()  # a note of the limits says so
    # One with a throttle of its own would be refused by that.
    own = {} if api.settings is None else api.settings.own
    return sorted(routes, key=lambda route: route.key in own)


def _setup(
    profile: Profile,
    choice: Choice,
    path: StepLimits | None,
    notes: list[str],
    *,
    account: bool,
) -> Setup:
    asked, guards = profile.limits, profile.guards
    allowed = account or asked.account
    buckets = () if path is None else path.buckets
    accounts = [one.rate_rps for one in buckets if one.layer is Cause.ACCOUNT]
    return Setup(
        base=choice.base,
        caps=Caps(
            max_admitted=min(asked.max_admitted, guards.max_requests),
            max_rate_rps=min(asked.max_rate, guards.max_rate),
            max_duration_s=asked.max_duration_s,
            quota_left=_quota_left(path, guards.max_quota_share, notes),
        ),
        others=choice.others,
        # Where the account's bucket may be drained there is nothing to watch, and what the canary
        # takes of it would look like the traffic of others.
        canary=None if allowed else choice.canary,
        inner_rps=tuple(one.rate_rps for one in buckets if one.layer is not Cause.ACCOUNT),
        account_rps=accounts[0] if accounts else None,
        account_allowed=allowed,
    )


def _quota_left(path: StepLimits | None, share: float | None, notes: list[str]) -> int | None:
    """What may be used of the key's quota: what is left, or `guards.max_quota_share`."""
    quota = None if path is None else path.quota
    if quota is None:
        return None
    part = None if share is None else int(share * quota.limit)
    if quota.used is None:
        notes.append(f"unknown: how much of the quota of {quota.name} is used")
        return part
    left = max(0, quota.limit - quota.used)
    return left if part is None else min(left, part)


def _unknown(prepared: Prepared, path: StepLimits | None) -> tuple[str, ...]:
    notes = tuple(note for note in prepared.limits.notes if note.startswith("unknown"))
    if path is not None and path.complete:
        return ()
    return notes


def _quota(prepared: Prepared, notes: list[str]) -> Throttle | None:
    """The account's throttle as Service Quotas has it."""
    session = prepared.session
    if session is None or not prepared.profile.aws.discover:
        return None
    try:
        return throttle_quota(session)
    except AwsError as error:
        notes.append(f"unknown: the service quotas of the account ({error})")
        return None


def _check_refusals(prepared: Prepared, notes: list[str]) -> None:
    """That refusals can be told: a REST API may answer them with any status, also with 200."""
    api, session, profile = prepared.resolved.api, prepared.session, prepared.profile
    if api is None or api.kind != "rest" or session is None or not profile.aws.discover:
        return
    try:
        status = GatewayReader(session).throttled_status(api.id)
    except AwsError as error:
        notes.append(f"unknown: with which status the API answers throttled requests ({error})")
        return
    if status is not None and status < 400 and not profile.outcomes:
        raise Refused(
            f"API {api.id} answers throttled requests with status {status}, as it does others: "
            "what was refused would count as admitted",
            hint="a rule in `outcomes` tells them apart by the header x-amzn-errortype or the body",
        )


def _check_cost(profile: Profile, cost: CostRange) -> None:
    most = profile.guards.max_cost_usd
    if cost.most_usd is not None and cost.most_usd > most:
        raise Refused(
            f"the probe may cost up to {usd(cost.most_usd)}, above guards.max_cost_usd {usd(most)}",
            hint="raise guards.max_cost_usd, or lower limits.max_admitted",
        )
