"""The parts of each request's response time, in milliseconds.

    response time = client queue + DNS + TCP + TLS + network + gateway overhead + authorizer
                    + integration overhead + INIT or restore + handler + response

The client measures the first four, the time to the first byte and the last part. The access log
has the gateway's latency and what of it the integration and the authorizer took, the REPORT line
INIT and duration. Network and overheads are what is left between two of these, so the parts of one
request add up by construction. What nobody tells is NaN, and stays in the next bigger part.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from loadgen.outcome import Outcome
from loadgen.records import Records, response_us
from loadgen.telemetry.traces import Traces
from reports.load_waterfall import LABELS, PartName

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Logs have whole milliseconds, so that a difference of two of them is off by 1 ms at most; REPORT
# lines and the client have fractions. Beyond twice that, two sources contradict each other.
ROUNDING_MS = 2.0


@dataclass(frozen=True, slots=True)
class Split:
    """Parts by name, parallel to the records; NaN where a part is unknown.

    A part may be a little below zero, as far as rounding goes: in a mean that evens out.
    """

    response_ms: Floats
    parts: dict[PartName, Floats]
    unlogged: Bools  # answered, and no latency in the access log
    unmatched: Bools  # no such line where others have one, or no REPORT line where there must be
    looked_up: bool  # whether logs tell anything, so that a request may be unmatched
    ran_on: Bools  # the function worked longer than the integration waited, or INIT was ahead


@dataclass(slots=True)
class _Parts:
    """Parts while they are found: each is set for a choice of requests."""

    n: int
    found: dict[PartName, Floats] = field(default_factory=dict)

    def put(self, name: PartName, chosen: Bools, values: Floats) -> None:
        column = self.found.setdefault(name, np.full(self.n, np.nan))
        column[chosen] = values[chosen]


def split(records: Records, traces: Traces) -> Split:
    """The parts of all requests; `traces` are parallel to `records`."""
    client = _Client(records)
    parts = _Parts(len(records))
    everywhere = np.ones(len(records), np.bool_)
    parts.put("queue", everywhere, client.queue)
    parts.put("dns", ~client.opaque, client.dns)
    parts.put("tcp", ~client.opaque, client.tcp)
    parts.put("tls", ~client.opaque, client.tls)
    parts.put("request", client.opaque, client.service)
    parts.put("no_answer", client.silent, client.service - client.setup)
    parts.put("response", client.answered, client.service - client.first_byte)
    told = _Told(traces)
    ran_on = _behind(parts, client, told)
    for column in parts.found.values():
        # What contradicts by more than rounding does not even out: its rest is the residual's.
        column[column < -ROUNDING_MS] = 0.0
    unlogged = client.answered & ~told.has_latency
    without_line = unlogged if told.has_latency.any() else np.zeros_like(unlogged)
    return Split(
        response_ms=response_us(records) / 1000,
        parts={name: parts.found[name] for name in LABELS if name in parts.found},
        unlogged=unlogged,
        unmatched=without_line | _unreported(records, client, told),
        looked_up=bool(np.any(told.has_latency | told.has_report)),
        ran_on=ran_on,
    )


class _Client:
    """What the client measured, in ms."""

    def __init__(self, records: Records) -> None:
        def ms(name: str) -> Floats:
            return np.asarray(records[name] / 1000, np.float64)

        self.queue = ms("start_us") - ms("intended_us")
        self.service, self.first_byte = ms("service_us"), ms("first_byte_us")
        self.dns, self.tls = ms("dns_us"), ms("tls_us")
        self.tcp = ms("connect_us") - self.dns
        self.setup = ms("connect_us") + self.tls
        self.wait = self.first_byte - self.setup
        self.answered: Bools = records["first_byte_us"] > 0
        self.opaque: Bools = ~self.answered & (records["status"] > 0)  # a client of a locustfile
        self.silent: Bools = ~self.answered & (records["status"] == 0)


class _Told:
    """What log and REPORT line tell, in ms.

    A log that has the time of an integration or authorizer anywhere has it wherever there was one:
    then none means that nothing was asked.
    """

    def __init__(self, traces: Traces) -> None:
        def ms(name: str) -> Floats:
            return np.asarray(traces[name], np.float64)

        self.latency, self.duration = ms("latency_ms"), ms("duration_ms")
        self.has_latency = ~np.isnan(self.latency)
        self.integration = _none_is_zero(ms("integration_ms"), self.has_latency)
        self.authorizer = _none_is_zero(ms("authorizer_ms"), self.has_latency)
        self.has_report = ~np.isnan(self.duration)
        # A warm call has no INIT in its REPORT line: that is known to be none.
        self.init = np.nan_to_num(ms("init_ms")) + np.nan_to_num(ms("restore_ms"))


def _none_is_zero(times_ms: Floats, logged: Bools) -> Floats:
    known = ~np.isnan(times_ms)
    if not known.any():
        return times_ms
    return np.where(logged & ~known, 0.0, times_ms)


def _behind(parts: _Parts, client: _Client, told: _Told) -> Bools:
    """The parts between request and first byte; gives whose function worked beyond them."""
    logged = client.answered & told.has_latency
    whole = logged & ~np.isnan(told.integration)
    inner = np.where(whole, told.integration, client.wait)  # what the function must fit into
    called = client.answered & told.has_report & (whole | ~logged)
    handler, init, ran_on = _within(told, inner, called)
    authorizer = np.nan_to_num(told.authorizer)
    parts.put("network_api_function", client.answered & ~logged & ~called, client.wait)
    parts.put("network_api", called & ~logged, inner - handler - init)
    parts.put("network", logged, client.wait - told.latency)
    parts.put("authorizer", logged & ~np.isnan(told.authorizer), authorizer)
    parts.put("gateway_function", logged & ~whole, told.latency - authorizer)
    parts.put("gateway", whole, told.latency - told.integration - authorizer)
    parts.put("integration_function", whole & ~called, told.integration)
    parts.put("integration", called & whole, inner - handler - init)
    parts.put("init", called, init)
    parts.put("handler", called, handler)
    return ran_on


def _within(told: _Told, inner: Floats, called: Bools) -> tuple[Floats, Floats, Bools]:
    """Handler and INIT as far as a request waited for them.

    A function works on when the gateway gives it up, and extensions after its answer; the INIT of
    an environment that was made ahead is in the REPORT line of the first request, which did not
    wait for it. So INIT is cut first, then the handler. Differences by rounding are left alone.
    """
    too_much = np.where(called, told.duration + told.init - inner, 0.0)
    ran_on: Bools = too_much > ROUNDING_MS
    room = np.maximum(inner, 0.0)
    handler = np.where(ran_on, np.minimum(told.duration, room), told.duration)
    init = np.where(ran_on, np.minimum(told.init, room - handler), told.init)
    return handler, init, ran_on


def _unreported(records: Records, client: _Client, told: _Told) -> Bools:
    """Good answers without a REPORT line, at steps whose other requests have some."""
    outcome = records["kind"] >> 12
    good = client.answered & np.isin(outcome, (Outcome.OK, Outcome.CHECK_FAILED))
    with_reports = np.unique(records["step"][told.has_report])
    asks_function = np.isin(records["step"], with_reports)
    nothing_asked = told.integration <= 0  # a cached answer, or a mock; unknown is not that
    no_report: Bools = good & asks_function & ~told.has_report & ~nothing_asked
    return no_report
