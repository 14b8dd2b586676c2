"""A stage and its routes, resolved once for each snapshot: what the hot path needs is at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.gateway.access_log import AccessLogWriter, ExecutionLogWriter
from sandbox.gateway.cache import StageCache
from sandbox.gateway.cors import Cors
from sandbox.gateway.limits import Gate, LimitLedger
from sandbox.gateway.meter import GatewayMeters, Meter, Place
from sandbox.gateway.mock import MockResponder
from sandbox.gateway.responses import GatewayResponses
from sandbox.gateway.routing import RouteTable
from sandbox.gateway.snapshot import (
    ApiKey,
    MethodSettings,
    MockIntegration,
    Route,
    Snapshot,
    Stage,
)
from sandbox.telemetry.contract import LogSink


class Endpoint:
    """A route of a stage with its limits, its meter and its settings."""

    def __init__(self, stage: LiveStage, route: Route) -> None:
        self.stage = stage
        self.route = route
        settings = stage.stage.overrides.get(route.key, stage.stage.default)
        self.settings: MethodSettings = settings
        self.meter: Meter = stage.meter_of(route, detailed=settings.detailed_metrics)
        self.mock = (
            MockResponder(route.integration)
            if isinstance(route.integration, MockIntegration)
            else None
        )
        # Anybody may call: only the limits stand before the integration.
        self.is_open = route.authorization is None and stage.stage.resource_policy is None
        # Nothing that has to be waited for, or that only some requests meet.
        self.is_immediate = (
            self.mock is not None and self.is_open and stage.cors is None and settings.cache is None
        )
        self.gate: Gate = stage.ledger.gate_for(stage.snapshot, stage.stage, route)
        self._gates: dict[str, Gate | None] = {}

    def gate_of(self, key: ApiKey) -> Gate | None:
        """The gate for an API key; None where no usage plan of the key has the stage."""
        if key.id not in self._gates:
            self._gates[key.id] = self._new_gate(key)
        return self._gates[key.id]

    def _new_gate(self, key: ApiKey) -> Gate | None:
        snapshot, stage = self.stage.snapshot, self.stage.stage
        for plan_id in key.plan_ids:
            plan = snapshot.plans.get(plan_id)
            if plan is not None and stage.key in plan.stages:
                return self.stage.ledger.gate_for(snapshot, stage, self.route, plan, key)
        return None


class LiveStage:
    """A stage at work."""

    def __init__(
        self,
        stage: Stage,
        snapshot: Snapshot,
        ledger: LimitLedger,
        meters: GatewayMeters,
        logs: LogSink | None,
        cache: StageCache,
    ) -> None:
        self.stage = stage
        self.cache = cache
        self.snapshot = snapshot
        self.ledger = ledger
        self._meters = meters
        self.table = RouteTable(stage.kind, stage.routes)
        self.responses = GatewayResponses(stage)
        self.cors = Cors(stage.cors) if stage.cors else None
        self.access_log = (
            AccessLogWriter(stage.access_log, logs) if stage.access_log and logs else None
        )
        settings = (stage.default, *stage.overrides.values())
        is_logged = any(one.logging_level != "OFF" for one in settings)
        self.execution_log = ExecutionLogWriter(stage, logs) if logs and is_logged else None
        self.unrouted = self.meter_of(None, detailed=False)
        self._endpoints: dict[str, Endpoint] = {}
        # Where some of the requests go instead.
        self.canary = (
            LiveStage(stage.canary, snapshot, ledger, meters, logs, cache) if stage.canary else None
        )

    def endpoint(self, route: Route) -> Endpoint:
        """The endpoint of a route of this stage."""
        known = self._endpoints.get(route.key)
        if known is None:
            known = self._endpoints[route.key] = Endpoint(self, route)
        return known

    def meter_of(self, route: Route | None, *, detailed: bool) -> Meter:
        """Where requests to `route` are counted."""
        stage = self.stage
        place = Place(
            stage.kind, stage.api_id, stage.api_name, stage.name, route.key if route else None
        )
        return self._meters.meter(place, detailed=detailed or stage.detailed_metrics)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a request goes; `endpoint` None where no route of the stage takes it.

    `canary` is where it goes when it is drawn for the canary of the stage, if there is one.
    """

    stage: LiveStage
    endpoint: Endpoint | None
    path: str  # after the stage
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    canary: Destination | None = None
