"""Who asks, where, and by which prices; pure."""

from __future__ import annotations

from core.aws.prices import PriceTable
from core.aws.session import Caller
from core.errors import AwsError, CredentialsError, InputError
from tuner.preflight.finding import Finding, problem


def check_caller(caller: Caller | AwsError) -> Finding:
    """Whose credentials are used."""
    if isinstance(caller, CredentialsError):
        return problem("identity", caller)
    if isinstance(caller, AwsError):
        return Finding(
            "identity",
            "warning",
            str(caller.args[0]),
            "a run goes on without the account number; see whether STS can be reached",
        )
    return Finding("identity", "ok", f"account {caller.account}, {caller.arn}")


def check_place(region: str, endpoint: str | None) -> Finding:
    """Where calls go."""
    if endpoint is None:
        return Finding("region", "ok", f"{region}, on AWS")
    return Finding("region", "note", f"{region}, at {endpoint}: not AWS itself")


def check_prices(prices: PriceTable, region: str) -> Finding:
    """Whether costs can be told."""
    try:
        prices.check_region(region)
    except InputError as error:
        return problem("prices", error)
    return Finding("prices", "ok", f"those of {prices.date} for {region}")
