"""What would spoil a run, from what was read and predicted; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loadgen.body_sizes import GATEWAY_BYTES, LAMBDA_BYTES, BodySize
from loadgen.preflight.phases import DURATIONS_OF
from loadgen.preflight.predict import Predicted
from loadgen.preparation import Prepared
from reports.figures import bytes_of, listed, milliseconds, part_of, rate, seconds
from reports.load_prediction import FunctionConcurrency, PhasePrediction
from reports.load_words import cause_word
from reports.preflight_document import Check


def checks_of(
    prepared: Prepared, predicted: Predicted, bodies: Sequence[BodySize | None]
) -> list[Check]:
    """All that was looked at; problems first, then warnings."""
    found = [
        *_routes(prepared),
        *_bodies(prepared, bodies),
        *_quotas(predicted),
        *_phases(predicted),
        *_timeouts(prepared, predicted),
        *_authorizers(predicted),
        *_provisioned(prepared, predicted),
    ]
    order = ("problem", "warning", "note", "ok")
    return sorted(found, key=lambda check: order.index(check.state))


def _routes(prepared: Prepared) -> Iterator[Check]:
    away = [path for path in prepared.limits.steps if path.turned_away is not None]
    for path in away:
        # A template may stand for several segments: what a run sends may have a route.
        is_sure = path.no_route or path.hit is not None
        yield Check(
            name=prepared.steps[path.step].name,
            state="problem" if is_sure else "warning",
            found=path.turned_away or "",
            to_do="API Gateway refuses all of its requests: correct the step, the key or the API",
        )
    routed = [path for path in prepared.limits.steps if path.hit is not None]
    if routed and not away:
        yield Check(name="routes", state="ok", found="every step has a route, and its key a plan")


def _bodies(prepared: Prepared, bodies: Sequence[BodySize | None]) -> Iterator[Check]:
    functions = {path.step: path.function for path in prepared.limits.steps}
    for step, body in zip(prepared.steps, bodies, strict=True):
        if body is None:
            continue
        name = step.name
        if body.bytes > GATEWAY_BYTES:
            yield Check(
                name=name,
                state="problem",
                found=f"a body of {bytes_of(body.bytes)}: API Gateway takes 10 MB",
                to_do="send less, or to Amazon S3",
            )
        elif functions.get(step.index) is not None and body.event_bytes > LAMBDA_BYTES:
            yield Check(
                name=name,
                state="problem",
                found=f"a body of {bytes_of(body.bytes)} is {bytes_of(body.event_bytes)} of an "
                "event: Lambda takes 6 MB",
                to_do="send less, or to Amazon S3",
            )


def _quotas(predicted: Predicted) -> Iterator[Check]:
    for quota in predicted.document.quotas:
        if quota.runs_out_s is not None:
            left, whole = quota.left_before or 0, f"{quota.limit:,} a {quota.period}"
            after = seconds(round(quota.runs_out_s, 1))
            yield Check(
                name=f"quota of {quota.name}",
                state="problem",
                found=f"{left:,} of {whole} are left, and used up after {after} of the run"
                if left
                else f"nothing of {whole} is left",
                to_do="send less, take another key, or raise the quota",
            )
        elif quota.runs_out_utc is not None:
            yield Check(
                name=f"quota of {quota.name}",
                state="warning",
                found=f"production uses up what the run leaves by {_when(quota.runs_out_utc)}",
                to_do=f"the period ends on {quota.period_ends_on}",
            )


def _when(utc: str) -> str:
    return f"{utc[:16].replace('T', ' ')} UTC"


def _phases(predicted: Predicted) -> Iterator[Check]:
    phases = predicted.document.phases
    for phase in phases:
        if phase.refused_by:
            words = [
                f"{cause_word(each.layer)} ({each.name}) {part_of(each.share, 1)}"
                for each in phase.refused_by
            ]
            unless = ", if no client sent again" if phase.if_nobody_retries else ""
            yield Check(
                name=f"phase {phase.name}",
                state="warning",
                found=f"refused{unless}: {listed(words)}",
                to_do="a lower rate, or higher limits, unless refusals are what is tested",
            )
        if phase.unknown:
            yield Check(
                name=f"phase {phase.name}",
                state="note",
                found=f"not known: {listed(phase.unknown)}",
                to_do="--duration tells how long functions run"
                if any(use.unknown for use in phase.concurrency)
                and any(each.startswith(DURATIONS_OF) for each in phase.unknown)
                else "",
            )
        yield from _downstream(phase)
    if not any(phase.refused_by or phase.unknown for phase in phases):
        yield Check(name="phases", state="ok", found="no limit on the path binds")


def _downstream(phase: PhasePrediction) -> Iterator[Check]:
    for use in phase.downstream:
        if use.short_share:
            needed = [
                *([rate(use.needed_rps)] if use.needed_rps and use.limit_rps else []),
                *([f"{use.needed_at_once:,.0f} at once"] if use.needed_at_once else []),
            ]
            words = f": {listed(needed)} needed" if needed else ""
            yield Check(
                name=f"phase {phase.name}",
                state="warning",
                found=f"{part_of(use.short_share, 1)} of requests find too little at "
                f"{use.name}{words}",
                to_do="what functions do then is not predicted",
            )


def _timeouts(prepared: Prepared, predicted: Predicted) -> Iterator[Check]:
    timeouts = {function.step: function for function in prepared.functions}
    for path in prepared.limits.steps:
        hit, function = path.hit, timeouts.get(path.step)
        if hit is None or hit.timeout_ms is None or hit.function is None:
            continue
        name = prepared.steps[path.step].name
        if function is not None and function.timeout_s * 1000 > hit.timeout_ms:
            yield Check(
                name=name,
                state="note",
                found=f"{function.name} may run for {seconds(function.timeout_s)}, API Gateway "
                f"waits {_time(hit.timeout_ms)}",
                to_do="after a timeout the function runs on, and is paid and counted",
            )
        known = predicted.durations[path.step]
        if known is not None and max(known.p99_ms or 0.0, known.mean_ms) > hit.timeout_ms:
            yield Check(
                name=name,
                state="warning",
                found=f"{hit.function} takes {_time(known.p99_ms or known.mean_ms)}, API "
                f"Gateway waits {_time(hit.timeout_ms)}",
                to_do="requests will time out",
            )
        if known is not None and function is not None and known.mean_ms > function.timeout_s * 1000:
            yield Check(
                name=name,
                state="warning",
                found=f"{function.name} takes {_time(known.mean_ms)}, and may run for "
                f"{seconds(function.timeout_s)}",
                to_do="Lambda ends it then: calls fail",
            )
    yield from _client_timeouts(prepared)


def _time(value_ms: float) -> str:
    """Whole seconds as such: 29 s, 1,500 ms."""
    return seconds(value_ms / 1000) if value_ms % 1000 == 0 else milliseconds(value_ms)


def _client_timeouts(prepared: Prepared) -> Iterator[Check]:
    total_ms = prepared.profile.http.timeout.total_s * 1000
    late = [
        hit.timeout_ms
        for path in prepared.limits.steps
        if (hit := path.hit) is not None and hit.timeout_ms is not None
    ]
    if late and total_ms <= max(late):
        yield Check(
            name="http.timeout.total",
            state="warning",
            found=f"{_time(total_ms)}, while API Gateway waits {_time(max(late))}",
            to_do="timeouts of the integration would be those of the client",
        )


def _authorizers(predicted: Predicted) -> Iterator[Check]:
    for use in predicted.authorizers:
        words = "how many run at once is not known: its durations are not"
        if use.most is not None:
            words = f"up to {use.most:,} run at once"
            limit = "nobody knows how many" if use.limit is None else f"{use.limit:,}"
            if use.may_refuse:
                words += f" beside what shares their limit, and {limit} may"
        if use.limit == 0:
            yield Check(
                name=f"authorizer {use.name}",
                state="problem",
                found="its function has a reserved concurrency of 0: every call is refused",
                to_do="without an answer of its authorizer a request is a 500",
            )
            continue
        is_over = use.most is not None and use.limit is not None and use.most > use.limit
        yield Check(
            name=f"authorizer {use.name}",
            state="warning" if is_over else "note",
            found=f"without a cache it is called for every request: {words}",
            to_do="a refusal of its function is an error of the authorizer, not a 429",
        )


def _provisioned(prepared: Prepared, predicted: Predicted) -> Iterator[Check]:
    most = _most_at_once(predicted)
    for (name, qualifier), provisioned in predicted.path.provisioned.items():
        if provisioned is None:
            continue
        if provisioned.status != "READY":
            yield Check(
                name=f"{name}:{qualifier}",
                state="warning",
                found=f"provisioned concurrency is {provisioned.status.lower()}: "
                f"{provisioned.available:,} of {provisioned.requested:,} are ready",
                to_do="wait for it, or calls start cold",
            )
        use = most.get(name)
        if use is not None and use.most is not None and use.most > provisioned.available:
            yield Check(
                name=f"{name}:{qualifier}",
                state="note",
                found=f"up to {use.most:,} calls at once, {provisioned.available:,} provisioned",
                to_do="the rest spills over to environments that start cold",
            )


def _most_at_once(predicted: Predicted) -> dict[str, FunctionConcurrency]:
    found: dict[str, FunctionConcurrency] = {}
    for phase in predicted.document.phases:
        for use in phase.concurrency:
            known = found.get(use.function)
            if use.most is not None and (known is None or use.most > (known.most or 0)):
                found[use.function] = use
    return found
