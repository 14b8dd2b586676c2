"""Tenant isolation: calls name a tenant, and tenants share no environments.

The texts of the errors are from memory of the Lambda developer guide, "Tenant isolation".
"""

from __future__ import annotations

from dataclasses import replace

from sandbox.api_errors import ApiError
from sandbox.execution.contract import VersionSpec
from sandbox.lambda_api.records import Settings

_INVALID = "InvalidParameterValueException"


def check_tenant(settings: Settings, tenant_id: str | None) -> None:
    """Refuses a call without a tenant where the function isolates them, and one with it elsewhere.

    Raises:
        ApiError: as AWS says it.
    """
    is_isolated = "TenancyConfig" in settings.inert
    if is_isolated and tenant_id is None:
        raise ApiError(
            _INVALID,
            "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in "
            "your request and try again.",
        )
    if tenant_id is not None and not is_isolated:
        raise ApiError(
            _INVALID,
            "The invoked function is not enabled with tenancy configuration. Remove the tenant ID "
            "from your request and try again.",
        )


def for_tenant(spec: VersionSpec, tenant_id: str | None) -> VersionSpec:
    """`spec` with environments of its own for the tenant."""
    if tenant_id is None:
        return spec
    return replace(spec, config_id=f"{spec.config_id}/tenant/{tenant_id}")
