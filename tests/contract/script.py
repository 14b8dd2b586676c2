"""All steps, in the order in which they are told."""

from __future__ import annotations

from types import ModuleType

from tests.contract import (
    account_steps,
    gateway_steps,
    http_api_steps,
    insights_steps,
    invoke_steps,
    lambda_steps,
    logs_steps,
    metrics_steps,
    rest_api_steps,
    stage_steps,
    usage_steps,
)
from tests.contract.step import Step

_MODULES: tuple[ModuleType, ...] = (
    account_steps,
    lambda_steps,
    invoke_steps,
    rest_api_steps,
    stage_steps,
    gateway_steps,
    usage_steps,
    http_api_steps,
    metrics_steps,
    logs_steps,
    insights_steps,
)

STEPS: tuple[Step, ...] = tuple(
    value for module in _MODULES for value in vars(module).values() if isinstance(value, Step)
)
