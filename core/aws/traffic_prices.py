"""What log lines and answers cost by volume: list prices of the first tier, without free tiers.

Prices are those of the pages of CloudWatch and EC2 as they were when this was written; no price
list of AWS was read for them. Where no price is known there is none, and nobody guesses one.
"""

from __future__ import annotations

DATE = "2026-11"

_GB = 1e9
# Ingestion, standard class: "Collect (Data Ingestion) $0.50 per GB" (CloudWatch pricing page).
_LOGS_USD_PER_GB = {"us-east-1": 0.50}
# Out to the internet, first 10 TB a month (EC2 on-demand pricing page, "Data Transfer OUT").
_TRANSFER_USD_PER_GB = {"us-east-1": 0.09}


def logs_usd(region: str | None, volume_bytes: float) -> float | None:
    """The price of log lines of so many bytes; None where none is known."""
    price = _LOGS_USD_PER_GB.get(region or "")
    return None if price is None else volume_bytes / _GB * price


def transfer_usd(region: str | None, volume_bytes: float) -> float | None:
    """The price of so many bytes out to the internet; None where none is known."""
    price = _TRANSFER_USD_PER_GB.get(region or "")
    return None if price is None else volume_bytes / _GB * price
