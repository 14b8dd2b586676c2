"""Names the causes that the wire could not tell, after a run: replay, access log, metrics.

The access log says of single requests who refused them, which is first. The replay through the
configured limits names the throttle, which no log does. The metric Throttles decides about 5xx
that no log explains. Each step changes kinds only where it knows more than what was known; what
could not be read stays as it was, and a note says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.aws.session import AwsSession
from core.aws.throttle_metrics import lambda_throttles
from core.errors import AwsError
from loadgen.limits import Bucket, Limits
from loadgen.log_evidence import LogEvidence
from loadgen.outcome import Cause, Evidence, Kind, Outcome
from loadgen.profile.model import Profile
from loadgen.records import Records
from loadgen.replay import replay
from loadgen.steps import StepInfo
from loadgen.target import Resolved

Codes = NDArray[np.uint16]

# How far the counts of client and CloudWatch may differ and still be the same requests.
_METRIC_TOLERANCE_SHARE = 0.03
_POLL_S = 2.0
# Requests on loopback are hardly ever timed better than this: two processes share the machine.
_MIN_JITTER_S = 0.0005

_LAMBDA_BY_METRICS = Kind(Outcome.THROTTLED, Cause.LAMBDA_CONCURRENCY, Evidence.METRICS).code
_NO_ROUTE = Kind(Outcome.CLIENT_ERROR, Cause.UNKNOWN, Evidence.CONFIGURATION).code


@dataclass(frozen=True, slots=True)
class Findings:
    """The kind of every record, with what was learned after the run, and what to say about it."""

    new_kinds: Codes
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How to wait for what AWS writes late, and whether somebody wants to leave.

    Tests bring a clock of their own.
    """

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    stopped: Callable[[], bool] = lambda: False


def gather(
    records: Records,
    steps: Sequence[StepInfo],
    limits: Limits,
    resolved: Resolved,
    session: AwsSession | None,
    profile: Profile,
    started_unix_s: float,
    say: Callable[[str], None],
    *,
    waiting: Waiting | None = None,
) -> Findings:
    """What is known of every request of a run after everything has been asked.

    Waits up to `aws.settle` for late log lines and metrics. Never fails because AWS does not
    answer: then what the wire showed stays.
    """
    gathering = _Gathering(
        records,
        np.array(records["kind"], np.uint16),
        steps,
        limits,
        resolved,
        profile,
        started_unix_s,
        waiting or Waiting(),
    )
    if session is not None and profile.aws.access_logs:
        gathering.read_logs(session, say)
    gathering.find_routeless()
    gathering.replay()
    if session is not None and profile.aws.metrics:
        gathering.read_metrics(session, say)
    return Findings(gathering.kinds, gathering.notes)


class _Gathering:
    """One pass over the evidence; `kinds` are refined step by step."""

    def __init__(
        self,
        records: Records,
        kinds: Codes,
        steps: Sequence[StepInfo],
        limits: Limits,
        resolved: Resolved,
        profile: Profile,
        started_unix_s: float,
        waiting: Waiting,
    ) -> None:
        self.kinds = kinds
        self.notes: list[str] = []
        self._records = records
        self._steps = steps
        self._limits = limits
        self._resolved = resolved
        self._profile = profile
        self._started_unix_s = started_unix_s
        self._waiting = waiting
        self._deadline_s = waiting.clock() + profile.aws.settle_s
        self._asked_log: NDArray[np.bool_] = np.zeros(len(records), np.bool_)
        # Of these the access log knows whether Lambda throttled them.
        self._cleared: NDArray[np.bool_] = np.zeros(len(records), np.bool_)

    # -- access log

    def read_logs(self, session: AwsSession, say: Callable[[str], None]) -> None:
        """Looks requests that were refused or broke up in the logs of the stage."""
        open_rows = np.flatnonzero(_worth_a_look(self.kinds) & (self._records["request_id"] != b""))
        api = self._resolved.api
        if not len(open_rows) or api is None or api.settings is None:
            return
        evidence = LogEvidence(session, api, self._limits, self._started_unix_s)
        say(f"looking {len(open_rows):,} requests up in the access log")
        try:
            while True:
                found = evidence.look(self._records, open_rows, self.kinds)
                self.kinds[found.rows] = found.kinds
                self._asked_log[found.rows] = True
                if evidence.tells_lambda:
                    self._cleared[found.rows] = True
                open_rows = open_rows[~self._asked_log[open_rows]]
                if not len(open_rows) or not evidence.may_come or not self._wait():
                    break
        except AwsError as error:
            self.notes.append(f"the access log could not be read: {error}")
        else:
            self._say_what_was_found(evidence, len(open_rows))
        self.notes += evidence.notes

    def _say_what_was_found(self, evidence: LogEvidence, left: int) -> None:
        if evidence.unreadable is not None:
            self.notes.append(evidence.unreadable)
            return
        matched = int(self._asked_log.sum())
        note = f"access log: {matched:,} of {matched + left:,} requests looked up were found"
        if left and evidence.ended_early:
            note += "; there was more to read than one run asks for"
        elif left:
            waited_s = self._profile.aws.settle_s
            note += f"; lines may come later than aws.settle, which is {waited_s:g} s"
        self.notes.append(note)

    def _wait(self) -> bool:
        """Waits a little, unless the time to settle is over or nobody wants to wait."""
        left_s = self._deadline_s - self._waiting.clock()
        if left_s <= 0 or self._waiting.stopped():
            return False
        self._waiting.sleep(min(_POLL_S, left_s))
        return True

    # -- configuration

    def find_routeless(self) -> None:
        """Takes 403s and 404s of steps that no route takes for what they are.

        A REST API says "Missing Authentication Token" then, as if it were about who asks.
        """
        steps = [step.step for step in self._limits.steps if step.no_route]
        lost = np.isin(self._records["step"], steps) & (self.kinds >> 12 == Outcome.CLIENT_ERROR)
        lost &= np.isin(self._records["status"], (403, 404))
        lost &= np.isin(self.kinds & 0xF, (Evidence.NONE, Evidence.WIRE))
        self.kinds[lost] = _NO_ROUTE

    def replay(self) -> None:
        """Names the throttle of refused requests by the configured limits."""
        outcome, cause = self.kinds >> 12, self.kinds >> 4 & 0xFF
        throttled = outcome == Outcome.THROTTLED
        refused = throttled & np.isin(cause, (Cause.THROTTLE, Cause.UNKNOWN))
        paths = self._paths()
        if not refused.any() or not any(paths):
            return
        rows = np.flatnonzero(refused | _admitted(self.kinds, self._records))
        arrival_s, jitter_s = arrivals(self._records[rows], refused[rows])
        order = np.argsort(arrival_s, kind="stable")
        rows, arrival_s = rows[order], arrival_s[order]
        complete = np.array([step.complete for step in self._limits.steps], np.bool_)
        step = self._records["step"][rows]
        found = replay(
            arrival_s,
            step,
            refused[rows],
            paths,
            jitter_s=jitter_s,
            sure=complete[step] & (cause[rows] == Cause.THROTTLE),
        )
        named = refused[rows] & (found.cause != Cause.THROTTLE)
        layer = found.cause[named].astype(np.uint16)
        self.kinds[rows[named]] = (
            np.uint16(Outcome.THROTTLED << 12 | Evidence.CONFIGURATION) | layer << 4
        )
        if found.loose and any(len(path) > 2 for path in paths):
            self.notes.append(
                "limits were not kept to the token, or others use them too: where several are on "
                "the path of a step, which one refused is an estimate"
            )
        left = int(refused.sum()) - int(named.sum())
        if left:
            self.notes.append(
                f"{left:,} of {int(refused.sum()):,} throttled requests: the configured limits do "
                "not tell which throttle it was"
            )

    def _paths(self) -> list[tuple[Bucket, ...]]:
        by_step = {step.step: step.buckets for step in self._limits.steps}
        return [by_step.get(step.index, ()) for step in self._steps]

    # -- metrics

    def read_metrics(self, session: AwsSession, say: Callable[[str], None]) -> None:
        """Compares 5xx that nothing explains with the metric Throttles of each function."""
        outcome, cause = self.kinds >> 12, self.kinds >> 4 & 0xFF
        unexplained = (outcome == Outcome.SERVER_ERROR) & (cause == Cause.UNKNOWN)
        unexplained &= ~self._cleared
        by_function: dict[str, list[int]] = {}
        for step in self._limits.steps:
            if step.function is not None:
                by_function.setdefault(step.function, []).append(step.step)
        candidates = {
            function: np.flatnonzero(unexplained & np.isin(self._records["step"], steps))
            for function, steps in by_function.items()
        }
        candidates = {name: rows for name, rows in candidates.items() if len(rows)}
        if not candidates:
            return
        say(f"comparing 5xx with the metric Throttles of {', '.join(sorted(candidates))}")
        for function, rows in candidates.items():
            try:
                self._compare(session, function, rows)
            except AwsError as error:
                self.notes.append(f"the metric Throttles could not be read: {error}")
                return

    def _compare(self, session: AwsSession, function: str, rows: NDArray[np.intp]) -> None:
        client = session.cloudwatch()
        start_us = self._records["start_us"]
        # Throttles that the access log has named already are in the metric as well.
        steps = [step.step for step in self._limits.steps if step.function == function]
        of_function = np.isin(self._records["step"], steps)
        known = int(
            (
                of_function
                & (self.kinds >> 12 == Outcome.THROTTLED)
                & (self.kinds >> 4 & 0xFF == Cause.LAMBDA_CONCURRENCY)
            ).sum()
        )
        expected = known + len(rows)
        while True:
            counted = lambda_throttles(
                client,
                function,
                start_s=self._started_unix_s + float(start_us.min()) / 1e6,
                end_s=self._started_unix_s + float(start_us.max()) / 1e6,
            )
            if counted >= expected or not self._wait():
                break
        if abs(counted - expected) <= _METRIC_TOLERANCE_SHARE * expected:
            self.kinds[rows] = _LAMBDA_BY_METRICS
            return
        self.notes.append(
            f"function {function}: {len(rows):,} 5xx that nothing explains, and {counted:,} "
            f"Throttles in the minutes of the run ({known:,} of them explained)"
        )


def not_asked(profile: Profile) -> str | None:
    """Why nothing but the responses can tell causes, if the profile has it so."""
    if profile.locustfile is not None:
        return "causes are as the responses tell them: routes of a locustfile are not known"
    if not profile.output.records:
        return (
            "causes are as the responses tell them: limits and logs are joined with records, and "
            "output.records is off"
        )
    if not profile.aws.discover:
        return (
            "causes are as the responses tell them: aws.discover is off, so neither limits nor "
            "logs were read"
        )
    return None


def _worth_a_look(kinds: Codes) -> NDArray[np.bool_]:
    """Refusals and errors of which the wire does not say all."""
    outcome = kinds >> 12
    evidence = kinds & 0xF
    looked_at = (outcome == Outcome.THROTTLED) | (outcome == Outcome.SERVER_ERROR)
    unknown_client_error = (outcome == Outcome.CLIENT_ERROR) & (kinds >> 4 & 0xFF == Cause.UNKNOWN)
    worth: NDArray[np.bool_] = (looked_at | unknown_client_error) & (evidence != Evidence.RULE)
    return worth


def _admitted(kinds: Codes, records: Records) -> NDArray[np.bool_]:
    """Requests that took a token from every bucket on their path."""
    outcome, cause = kinds >> 12, kinds >> 4 & 0xFF
    by_backend = (outcome == Outcome.THROTTLED) & np.isin(
        cause, (Cause.LAMBDA_CONCURRENCY, Cause.APPLICATION)
    )
    # What API Gateway refuses for other reasons comes before its throttles, or costs nothing.
    turned_away = (outcome == Outcome.CLIENT_ERROR) & np.isin(
        cause, (Cause.AUTHORIZER, Cause.WAF, Cause.UNKNOWN)
    )
    answered = (records["status"] > 0) & (outcome != Outcome.THROTTLED) & ~turned_away
    waited = (outcome == Outcome.TIMEOUT) & (cause == Cause.RESPONSE_TIMEOUT)
    admitted: NDArray[np.bool_] = answered | by_backend | waited
    return admitted


def arrivals(records: Records, refused: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """When requests reached the gateway (s since the beginning), and how far that may be off (s).

    A refused request does nothing but travel: half of its time is the way. Admitted ones take as
    long there, whatever they do behind the gateway.
    """
    setup_us = records["connect_us"].astype(np.float64) + records["tls_us"]
    travel_us = np.maximum(0.0, records["service_us"] - setup_us) / 2
    of_refused = travel_us[refused]
    way_us = float(np.median(of_refused))
    sent_us = records["start_us"] + setup_us
    arrival_s = (sent_us + np.minimum(travel_us, way_us)) / 1e6
    low, high = np.percentile(of_refused, (10, 90))
    # The middle 80 % of a normal distribution is 2.56 standard deviations wide.
    jitter_s = max(_MIN_JITTER_S, float(high - low) / 2.56 / 1e6)
    return arrival_s, jitter_s
