"""Reads what stands on the path of each step besides throttles and quotas, from AWS.

What the caller may not read is unknown, and a note says which permission is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from core.aws.authorizers import Authorizer, read_authorizer
from core.aws.function_durations import PastDurations, past_durations
from core.aws.gateway import GatewayReader
from core.aws.gateway_plans import reserved_concurrency
from core.aws.provisioned_concurrency import Provisioned, read_provisioned
from core.aws.session import AwsSession
from loadgen.asking import Asking
from loadgen.limits import Limits, StepLimits
from loadgen.target import ApiRef

# A function by its name and the alias or version that is called.
Called = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Path:
    """What was read; what is not in a mapping is not known, or not there (`provisioned`: None)."""

    provisioned: dict[Called, Provisioned | None] = field(default_factory=dict)
    history: dict[Called, PastDurations] = field(default_factory=dict)
    authorizers: dict[str, Authorizer] = field(default_factory=dict)
    reserves: dict[str, int | None] = field(default_factory=dict)  # of functions of authorizers
    notes: tuple[str, ...] = ()

    @property
    def warm(self) -> dict[str, int]:
        """Provisioned environments that are ready, by the name of the function."""
        found: dict[str, int] = {}
        for (name, _), provisioned in self.provisioned.items():
            found[name] = found.get(name, 0) + (provisioned.available if provisioned else 0)
        return found


def read_path(
    limits: Limits,
    api: ApiRef | None,
    session: AwsSession | None,
    *,
    with_metrics: bool,
    timed: Collection[int] = (),
    now: datetime,
) -> Path:
    """Asks for each function and authorizer once: two to four control calls for each.

    Of steps in `timed` the durations are given: their functions' metrics are not read.
    """
    if session is None or api is None or api.kind is None:
        return Path()
    reading = _Reading(session, api, now)
    called = dict.fromkeys(
        (path.function, path.qualifier) for path in limits.steps if path.function is not None
    )
    provisioned = reading.provisioned(called)
    authorizers = reading.authorizers(limits.steps)
    untimed = [path for path in limits.steps if path.step not in timed]
    history = reading.history([*untimed, *authorizers.values()]) if with_metrics else {}
    reserves = reading.reserves(authorizers.values())
    return Path(
        provisioned, history, authorizers, reserves, tuple(dict.fromkeys(reading.asking.notes))
    )


@dataclass(slots=True)
class _Reading:
    session: AwsSession
    api: ApiRef
    now: datetime
    asking: Asking = field(default_factory=Asking)

    def provisioned(self, called: Iterable[Called]) -> dict[Called, Provisioned | None]:
        """Of aliases and versions only: $LATEST cannot have any."""
        asked = [
            (name, qualifier)
            for name, qualifier in called
            if qualifier is not None and qualifier != "$LATEST"
        ]
        if not asked:
            return {}
        client, found = self.session.control_lambda(), dict[Called, Provisioned | None]()
        for name, qualifier in asked:
            answer = self.asking.ask_whether(
                f"the provisioned concurrency of {name}:{qualifier}",
                partial(read_provisioned, client, name, qualifier),
                "lambda:GetProvisionedConcurrencyConfig",
            )
            if answer is not None:
                found[name, qualifier] = answer[0]
        return found

    def authorizers(self, steps: Iterable[StepLimits]) -> dict[str, Authorizer]:
        """The authorizers on the paths of steps, by id."""
        reader, found, kind = GatewayReader(self.session), dict[str, Authorizer](), self.api.kind
        ids = dict.fromkeys(path.hit.authorizer_id for path in steps if path.hit is not None)
        for each in ids:
            if each is None or kind is None:
                continue
            answer = self.asking.ask(
                f"authorizer {each}",
                partial(read_authorizer, reader, kind, self.api.id, each),
                f"apigateway:GET on /{'rest' if kind == 'rest' else ''}apis/*/authorizers/*",
            )
            if answer is not None:
                found[each] = answer
        return found

    def reserves(self, authorizers: Iterable[Authorizer]) -> dict[str, int | None]:
        """The reserves of the functions of authorizers, by name; None: it has none."""
        names = dict.fromkeys(each.function for each in authorizers if each.function is not None)
        if not names:
            return {}
        client, found = self.session.control_lambda(), dict[str, int | None]()
        for name in names:
            answer = self.asking.ask_whether(
                f"the reserved concurrency of {name}",
                partial(reserved_concurrency, client, name),
                "lambda:GetFunctionConcurrency",
            )
            if answer is not None:
                found[name] = answer[0]
        return found

    def history(self, callers: Iterable[StepLimits | Authorizer]) -> dict[Called, PastDurations]:
        """How long functions ran in the last days, as far as there is something."""
        called = [(each.function, each.qualifier) for each in callers]
        asked = dict.fromkeys((name, alias) for name, alias in called if name is not None)
        found: dict[Called, PastDurations] = {}
        if not asked:
            return found
        client = self.session.cloudwatch()
        for name, qualifier in asked:
            answer = self.asking.ask(
                f"durations of {name}",
                partial(past_durations, client, name, qualifier, now=self.now),
                "cloudwatch:GetMetricStatistics",
            )
            if answer is not None:
                found[name, qualifier] = answer
        return found
