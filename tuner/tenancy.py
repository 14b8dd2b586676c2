"""Functions that isolate tenants: each invocation has to say for which tenant it is."""

from __future__ import annotations

import re

from core.aws.prices import Arch
from core.errors import InputError, Refused
from reports.figures import megabytes, usd
from tuner.target import Target

# Invoke API: TenantId (botocore 1.44).
_TENANT_ID = re.compile(r"[a-zA-Z0-9._:/=+\-@ ]{1,256}")
# Each environment that starts for a tenant, for a GB of memory; us-east-1, publication 2026-09-19.
_USD_PER_GB: dict[Arch, float] = {"x86_64": 0.000166667, "arm64": 0.000133333}


def check_tenant_id(tenant_id: str | None) -> None:
    """Makes sure that `tenant_id` is one that Lambda takes.

    Raises:
        InputError: when it is not.
    """
    if tenant_id is not None and not _TENANT_ID.fullmatch(tenant_id):
        raise InputError(
            "--tenant-id: expected 1 to 256 letters, digits, spaces and ._:/=+-@ "
            f"(got {tenant_id!r})"
        )


def check_tenant(target: Target, tenant_id: str | None) -> None:
    """Makes sure that there is a tenant id where the function needs one, and only there.

    Raises:
        Refused: when it isolates tenants and none is given.
        InputError: when it does not, and one is given.
    """
    if target.isolates_tenants and tenant_id is None:
        raise Refused(
            f"function {target.name!r}: it isolates tenants, so every invocation needs a tenant id",
            hint="give one with --tenant-id, best one that is made for tests",
        )
    if tenant_id is not None and not target.isolates_tenants:
        raise InputError(
            f"--tenant-id: function {target.name!r} does not isolate tenants (got {tenant_id!r})"
        )


def tenancy_note(target: Target, largest_mb: int) -> str | None:
    """What AWS takes for a tenant's environments besides the invocations; None without tenants."""
    if not target.isolates_tenants:
        return None
    most_usd = largest_mb / 1024 * _USD_PER_GB[target.arch]
    return (
        "tenant isolation is billed besides what is said here: each environment that starts, one "
        f"for each version, costs up to {usd(most_usd)} (at {megabytes(largest_mb)}, by us-east-1 "
        "prices of 2026-09-19)"
    )
