"""The services of the sandbox's one AWS account, put together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.admin import AdminApplication
from sandbox.api_gateway import ApiGateway, GatewayOptions
from sandbox.credentials import CredentialStore
from sandbox.execution.contract import Executor
from sandbox.faults import FaultSet
from sandbox.faults.effects import FaultEffects
from sandbox.front import Application, Front, Service
from sandbox.gateway.network import Network
from sandbox.lambda_api.context import LambdaContext, LambdaOptions
from sandbox.lambda_api.names import Home
from sandbox.lambda_api.packages import PackageStore
from sandbox.lambda_api.service import PACKAGE_PATH, LambdaService, PackageDownloads
from sandbox.lambda_api.store import FunctionStore
from sandbox.lambda_api.telemetry import LambdaMetrics
from sandbox.logs_api.service import LogsService
from sandbox.monitoring.service import MonitoringService
from sandbox.s3_api.service import S3Service
from sandbox.service_quotas import (
    CONCURRENT_EXECUTIONS,
    THROTTLE_BURST,
    THROTTLE_RATE,
    ServiceQuotasService,
    quota_of_usage,
)
from sandbox.state_dir import StateDirectory
from sandbox.sts import StsService
from sandbox.telemetry.log_store import LogStore
from sandbox.telemetry.metrics import MetricStore
from sandbox.xray.service import XRayService
from sandbox.xray.store import TraceStore
from sandbox.xray.tracing import Tracer

ACCOUNT_ID = "000000000000"

# Makes the executor; it is given the variables that let handlers reach the sandbox.
ExecutorFactory = Callable[[Mapping[str, str]], Executor]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """How a sandbox is started; `port` 0 takes any free port.

    `metrics_delay_s` is how long after its end a minute of metrics is published; with 0 it is seen
    at once, also while it runs.
    """

    port: int = 0
    region: str = "us-east-1"
    state_dir: Path | None = None
    metrics_delay_s: float = 0.0
    lambda_options: LambdaOptions = field(default_factory=LambdaOptions)
    gateway_options: GatewayOptions = field(default_factory=GatewayOptions)


# How often metrics go into their compact form, so that what is counted by request stays small.
_DRAIN_S = 5.0


class Account:
    """Everything behind the front; made within a running event loop."""

    def __init__(
        self,
        options: SandboxOptions,
        state: StateDirectory,
        environment: Mapping[str, str],
        make_executor: ExecutorFactory,
    ) -> None:
        home = Home(ACCOUNT_ID, options.region)
        store = FunctionStore(state.path / "state.json" if state.lasting else None)
        packages = PackageStore(state.path / "code")
        packages.keep_only(store.codes())
        self._options = options
        self._executor = make_executor(environment)
        faults = FaultSet()
        effects = FaultEffects(faults)
        credentials = CredentialStore(ACCOUNT_ID)
        # Log events end with the sandbox; a directory of the user's is not filled with them.
        self._scratch = StateDirectory(None) if state.lasting else None
        self._logs = LogStore((self._scratch or state).path / "logs")
        self._logs.more_delay_s = effects.logs_delay_s
        metrics = MetricStore(delay_s=options.metrics_delay_s)
        metrics.more_delay_s = effects.metrics_delay_s
        lambda_metrics = LambdaMetrics()
        traces = TraceStore()
        tracer = Tracer(traces)
        self._lambda = LambdaService(
            LambdaContext(
                home=home,
                options=options.lambda_options,
                store=store,
                packages=packages,
                executor=self._executor,
                package_url=environment["AWS_ENDPOINT_URL"] + PACKAGE_PATH,
                metrics=lambda_metrics,
                log_sink=self._logs,
                interfere=effects.interference,
                tracer=tracer,
            )
        )
        self._gateway = ApiGateway(
            home,
            options.gateway_options,
            state.path / "apis.json" if state.lasting else None,
            invoker=self._lambda.invoker,
            secret_of=credentials.secret_of,
            logs=self._logs,
            disturbances=effects,
            tracer=tracer,
        )
        effects.names_of_apis = self._gateway.api_names
        metrics.register(lambda_metrics)
        metrics.register(self._gateway.meters)
        self._logs_service = LogsService(home, self._logs)
        monitoring = MonitoringService(home, metrics, quota_of_usage(self._applied_quotas))
        quotas = ServiceQuotasService(home, self._applied_quotas)
        xray = XRayService(home, traces)
        for service in (self._lambda, self._logs_service, monitoring, quotas, xray):
            service.guard = effects.refusal
        self._gateway.guard_with(effects.refusal)
        services: dict[str, Service] = {
            "apigateway": self._gateway,
            "lambda": self._lambda,
            "logs": self._logs_service,
            "monitoring": monitoring,
            "s3": S3Service(),
            "servicequotas": quotas,
            "sts": StsService(ACCOUNT_ID, credentials),
            "xray": xray,
        }
        applications: list[Application] = [
            self._gateway.plane,
            PackageDownloads(packages),
            AdminApplication(
                faults, self._gateway.ledger, Network(self._gateway.plane), time.monotonic
            ),
        ]
        self.front = Front(services, applications)
        self._draining = asyncio.get_running_loop().create_task(_drain(metrics, self._gateway))

    def _applied_quotas(self) -> dict[str, float]:
        """The quotas that differ from AWS's defaults, or may."""
        limit = self._options.gateway_options.account_limit
        return {
            CONCURRENT_EXECUTIONS: float(self._options.lambda_options.account_concurrency),
            THROTTLE_RATE: limit.rate_rps,
            THROTTLE_BURST: limit.burst,
        }

    async def close(self) -> None:
        """Stops everything; no process is left."""
        self._draining.cancel()
        try:
            await self._gateway.close()
            await self._lambda.close()
            await self._logs_service.close()
        finally:
            await self._executor.close()
            self._logs.close()
            if self._scratch is not None:
                self._scratch.release()


async def _drain(metrics: MetricStore, gateway: ApiGateway) -> None:
    """Takes over what the services counted, for as long as the sandbox runs."""
    while True:
        await asyncio.sleep(_DRAIN_S)
        metrics.drain()
        gateway.save_usage()
