"""The executor of the sandbox: real processes, or models where a function declares one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sandbox.execution.contract import EarlyInit, InvokeRequest, InvokeResult, VersionSpec
from sandbox.execution.cpu import CpuModel
from sandbox.execution.environment import ProcessEnvironment
from sandbox.execution.host import Host
from sandbox.execution.model import MODEL_VARIABLE
from sandbox.execution.modelled import ModelledEnvironment, RandomStreams
from sandbox.execution.pool import EnvironmentPool
from sandbox.execution.ready import ReadyEnvironments


class LocalExecutor:
    """Runs invocations on this host; implements `contract.Executor`.

    `process_limit` caps the real processes, and calls beyond it queue; modelled functions have
    no such limit. `aws_environment` is added to the environment variables of handlers, so that
    their AWS clients talk to the sandbox. Close it from the event loop that used it.
    """

    def __init__(
        self,
        *,
        cpu_model: CpuModel = "linear",
        idle_expiry_s: float = 300.0,
        process_limit: int = 64,
        aws_environment: Mapping[str, str] | None = None,
        host: Host | None = None,
    ) -> None:
        self._host = host or Host(cpu_model=cpu_model, aws_environment=aws_environment or {})
        streams = RandomStreams()
        self._processes = EnvironmentPool(
            lambda spec: ProcessEnvironment(spec, self._host),
            limit=process_limit,
            idle_expiry_s=idle_expiry_s,
        )
        self._models = EnvironmentPool(
            lambda spec: ModelledEnvironment(spec, streams), idle_expiry_s=idle_expiry_s
        )
        self._ready_processes = ReadyEnvironments(
            lambda spec: ProcessEnvironment(spec, self._host),
            # The other half is for what is called on demand.
            limit=process_limit // 2,
        )
        self._ready_models = ReadyEnvironments(lambda spec: ModelledEnvironment(spec, streams))

    @property
    def process_count(self) -> int:
        """Environments with a process of their own, idle and busy."""
        return self._processes.size + self._ready_processes.size

    @property
    def queued_count(self) -> int:
        """Calls that wait because the host runs as many processes as it may."""
        return self._processes.queued

    async def invoke(self, spec: VersionSpec, request: InvokeRequest) -> InvokeResult:
        """Runs one invocation in an idle environment of `spec`, or in a new one."""
        return await self._pool(spec).invoke(spec, request)

    def has_idle(self, spec: VersionSpec) -> bool:
        """Whether an environment of `spec` is there that an invocation would be run in."""
        return self._pool(spec).has_idle(spec)

    async def provision(
        self, spec: VersionSpec, count: int, logged: Callable[[EarlyInit], None]
    ) -> None:
        """Keeps `count` environments of `spec` ready, whose INIT is over when this is.

        Raises:
            NotReady: the function does not load, or this host runs no more processes.
        """
        await self._ready(spec).provision(spec, count, logged)

    async def release(self, spec: VersionSpec) -> None:
        """Keeps no environment of `spec` ready any more."""
        await self._ready(spec).release(spec)

    async def retire(self, function_name: str, version: str | None = None) -> None:
        """Stops idle environments of a function, or of one version; busy ones stop when done."""
        await self._models.retire(function_name, version)
        await self._processes.retire(function_name, version)

    async def close(self) -> None:
        """Stops everything; no process outlives this."""
        await self._ready_models.close()
        await self._ready_processes.close()
        await self._models.close()
        await self._processes.close()
        self._host.watch.close()
        self._host.reaper.close()

    def _ready(self, spec: VersionSpec) -> ReadyEnvironments:
        return self._ready_models if MODEL_VARIABLE in spec.environment else self._ready_processes

    def _pool(self, spec: VersionSpec) -> EnvironmentPool | ReadyEnvironments:
        if spec.initialization != "on-demand":
            return self._ready(spec)
        return self._models if MODEL_VARIABLE in spec.environment else self._processes
