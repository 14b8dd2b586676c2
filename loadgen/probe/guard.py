"""What keeps a probe within bounds: before each phase by its prediction, within it by what comes.

The phase ends, and with it the probe, when more than 1 % of what was admitted fails, when admitted
requests take much longer than at rest, when a quota refuses, or when the canary is refused: a
request a second with another key on another stage, whose refusal means that a bucket which others
share is being drained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from loadgen.outcome import Kind, Outcome
from loadgen.probe.progress import progress_of
from loadgen.probe.seen import Stop, StoppedBy, Took, quota_refusals
from loadgen.probe.setup import Caps, Setup
from loadgen.records import Records
from loadgen.steered.segment import Progress, Sent
from reports.load_words import cause_word, class_word

MOST_FAILED_SHARE = 0.01
# One failure of a few requests is chance.
_FEWEST_FAILED = 3
SLOWER_FACTOR = 3.0
# Three times very little is still little: the noise of a generator beside the API, or cold starts.
SLOWER_FLOOR_MS = 250.0
_FEWEST_TIMED = 20
_SLOW_LOOKS = 2  # in a row
# A phase that admits more than its part of the budget is over; that is no reason to stop.
ENOUGH = "the phase has admitted what it may"
_TROUBLED = (
    Outcome.CLIENT_ERROR,
    Outcome.SERVER_ERROR,
    Outcome.TIMEOUT,
    Outcome.CONNECTION_ERROR,
    Outcome.CHECK_FAILED,
)


class Stopped(Exception):  # no error: it ends a plan early, with what it has
    """A guard ends the probe."""

    def __init__(self, by: StoppedBy, reason: str) -> None:
        super().__init__(reason)
        self.stop = Stop(by, reason)


@dataclass(slots=True)
class Guard:
    """Counts what a probe takes and says when it must not go on."""

    setup: Setup
    took: Took = field(default_factory=Took)
    canary_refused: int = 0
    failed: int = 0
    troubles: Counter[str] = field(default_factory=Counter)
    elapsed_s: float = 0.0
    baseline_ms: float | None = None
    _slow_looks: int = 0
    _found: Stop | None = None

    @property
    def caps(self) -> Caps:
        """What must not be exceeded."""
        return self.setup.caps

    # -- before a phase --------------------------------------------------------------------------

    def check(self, name: str, admitted: float, rate_rps: float, length_s: float) -> None:
        """Refuses a phase by what is predicted of it.

        Raises:
            Stopped: it would go beyond a cap.
        """
        reason = self.too_much(admitted, rate_rps, length_s)
        if reason is not None:
            raise Stopped("cap", f"before {name}: {reason}")

    def too_much(self, admitted: float, rate_rps: float, length_s: float) -> str | None:
        """Which cap a phase would go beyond, in words."""
        caps, total = self.caps, self.took.admitted + admitted
        if total > caps.max_admitted:
            return (
                f"{total:,.0f} requests would have been admitted, above limits.max_admitted "
                f"{caps.max_admitted:,}"
            )
        if caps.quota_left is not None and total > caps.quota_left:
            return (
                f"{total:,.0f} requests would have been admitted, and {caps.quota_left:,} of the "
                "key's quota may be used"
            )
        if rate_rps > caps.max_rate_rps * (1 + 1e-9):
            return (
                f"{rate_rps:,.5g} requests/s would be sent, above limits.max_rate "
                f"{caps.max_rate_rps:,.5g}"
            )
        if self.elapsed_s + length_s > caps.max_duration_s:
            return (
                f"it would end after {self.elapsed_s + length_s:,.0f} s, beyond "
                f"limits.max_duration {caps.max_duration_s:,.0f} s"
            )
        return None

    # -- within it -------------------------------------------------------------------------------

    def watch(self, enough: float) -> Callable[[Progress], str | None]:
        """Looks at a phase while it goes on; `enough` is how many requests it may admit."""
        self._found = None

        def look(progress: Progress) -> str | None:
            self._found = self._found or self._fault(progress)
            if self._found is not None:
                return self._found.reason
            if self._admitted(progress) > enough:
                return ENOUGH
            return None

        return look

    def _admitted(self, progress: Progress) -> int:
        canary = self.setup.canary
        apart = progress.admitted.get(canary.step, 0) if canary else 0
        return sum(progress.admitted.values()) - apart

    def _fault(self, progress: Progress) -> Stop | None:
        canary = self.setup.canary
        if canary and progress.throttled.get(canary.step, 0) and not self.setup.account_allowed:
            return Stop(
                "canary",
                f"the canary, scenario {canary.name}, was refused: a bucket that others share is "
                "being drained",
            )
        admitted, failed = sum(progress.admitted.values()), sum(progress.failed.values())
        # Of the whole probe, since a phase may have too few to tell.
        of, wrong = self.took.admitted + admitted, self.failed + failed
        if failed and wrong >= _FEWEST_FAILED and wrong > MOST_FAILED_SHARE * of:
            return Stop("errors", f"{wrong:,} of {of:,} admitted requests failed")
        return self._slower(progress, admitted)

    def _slower(self, progress: Progress, admitted: int) -> Stop | None:
        limit_ms = self.slow_ms
        p95_ms = progress.p95_ms
        if limit_ms is None or p95_ms is None or admitted < _FEWEST_TIMED or p95_ms <= limit_ms:
            self._slow_looks = 0
            return None
        self._slow_looks += 1
        if self._slow_looks < _SLOW_LOOKS:
            return None
        return Stop(
            "latency",
            f"p95 of admitted requests is {p95_ms:,.0f} ms, above {limit_ms:,.0f} ms: at rest it "
            f"was {self.baseline_ms:,.0f} ms",
        )

    @property
    def slow_ms(self) -> float | None:
        """The p95 of admitted requests that ends the probe; None before it is known at rest."""
        if self.baseline_ms is None:
            return None
        return max(SLOWER_FACTOR * self.baseline_ms, self.baseline_ms + SLOWER_FLOOR_MS)

    # -- after it --------------------------------------------------------------------------------

    def book(self, sent: Sent, *, layer: bool, rest_s: float) -> None:
        """Counts what was sent.

        Raises:
            Stopped: what came back is a reason to end.
        """
        progress = progress_of(sent.records, sent.length_s)
        found = self._found or self._fault(progress)
        self.failed += sum(progress.failed.values())
        self.troubles += _troubles(sent.records)
        canary = self.setup.canary
        step = -1 if canary is None else canary.step
        own = self._admitted(progress)
        before = self.took
        self.took = Took(
            sent=before.sent + len(sent.records) + sent.cut,
            base_admitted=before.base_admitted + (0 if layer else own),
            layer_admitted=before.layer_admitted + (own if layer else 0),
            canary_admitted=before.canary_admitted + progress.admitted.get(step, 0),
            refused=before.refused + sum(progress.throttled.values()),
        )
        self.canary_refused += progress.throttled.get(step, 0)
        self.elapsed_s = max(self.elapsed_s + rest_s + sent.length_s, sent.to_us / 1e6)
        self._judge(sent, found)

    def _judge(self, sent: Sent, found: Stop | None) -> None:
        refused = quota_refusals([sent])
        if refused:
            raise Stopped("quota", f"the quota of the key is used up: it refused {refused:,}")
        if found is not None:
            if found.by == "errors":
                found = Stop("errors", f"{found.reason}: {_words(self.troubles)}")
            raise Stopped(found.by, found.reason)
        if sent.stopped is not None and sent.stopped != ENOUGH:
            raise Stopped("interrupted", sent.stopped)


def troubles(records: Records) -> str:
    """What went wrong with requests, the most frequent first."""
    return _words(_troubles(records))


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} x {name}" for name, count in counts.most_common(3))


def _troubles(records: Records) -> Counter[str]:
    counts: Counter[str] = Counter()
    for code, status in zip(records["kind"].tolist(), records["status"].tolist(), strict=True):
        kind = Kind.of(code)
        if kind.outcome in _TROUBLED:
            name = str(status) if status else class_word(kind.outcome.name.lower(), 1)
            cause = kind.cause.name.lower()
            counts[name if cause in ("none", "unknown") else f"{name} ({cause_word(cause)})"] += 1
    return counts
