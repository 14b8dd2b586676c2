"""What the executor runs: the specs of versions, made once for each configuration."""

from __future__ import annotations

from dataclasses import replace

from sandbox.execution.contract import VersionSpec
from sandbox.lambda_api.context import LambdaContext
from sandbox.lambda_api.names import LATEST
from sandbox.lambda_api.records import Function, Version

# Configurations that are remembered; a sandbox of ordinary use has a hundred.
_MAX_SPECS = 1000


class Specs:
    """The specs of versions, remembered, for calls are many."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context
        self._specs: dict[str, VersionSpec] = {}

    def of(self, function: Function, version: Version) -> VersionSpec:
        """The spec of a version of a function."""
        spec = self._specs.get(version.config_id)
        if spec is None:
            if len(self._specs) >= _MAX_SPECS:
                self._specs.clear()
            spec = self._specs[version.config_id] = self._new(function, version)
        return spec

    def _new(self, function: Function, version: Version) -> VersionSpec:
        settings = version.settings
        return VersionSpec(
            function_name=function.name,
            function_arn=self._context.home.function_arn(function.name),
            version=version.number,
            config_id=version.config_id,
            runtime=settings.runtime,
            handler=settings.handler,
            memory_mb=settings.memory_mb,
            timeout_s=settings.timeout_s,
            code_dir=self._context.packages.code_dir(version.code),
            arch=settings.architecture,
            environment=settings.environment,
            ephemeral_storage_mb=settings.ephemeral_storage_mb,
            log_format=settings.log_format,
            log_group=settings.log_group or f"/aws/lambda/{function.name}",
            application_log_level=settings.application_log_level,
            system_log_level=settings.system_log_level,
            is_traced=settings.tracing_mode == "Active",
            snap_start=version.number != LATEST and settings.snap_start,
        )


def made_ahead(spec: VersionSpec) -> VersionSpec:
    """`spec` for environments of its own, which are initialised before they are called."""
    return replace(
        spec,
        config_id=f"{spec.config_id}/provisioned",
        initialization="provisioned-concurrency",
    )
