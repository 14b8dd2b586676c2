"""What all environments of one sandbox share: settings, and the helpers that watch them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.execution.cpu import CpuModel
from sandbox.execution.reaper import Reaper
from sandbox.execution.runtimes import has_native_client
from sandbox.execution.watch import Watch

# Lambda developer guide, lambda-runtime-environment, read 2026-09: "The Init phase is limited to
# 10 seconds".
INIT_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Host:
    """The host that handlers run on.

    `aws_environment` is added to the environment variables of handlers; `native_client` says
    whether awslambdaric finds its compiled part, or needs the pure-Python one.
    """

    cpu_model: CpuModel = "linear"
    aws_environment: Mapping[str, str] = field(default_factory=dict)
    cores: int = field(default_factory=lambda: os.cpu_count() or 1)
    native_client: bool = field(default_factory=has_native_client)
    init_limit_s: float = INIT_LIMIT_S
    watch: Watch = field(default_factory=Watch)
    reaper: Reaper = field(default_factory=Reaper)
