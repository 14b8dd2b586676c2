"""Throttles and quotas of the data plane; pure, with the time given by the caller."""

from sandbox.gateway.limits.enforcement import Enforcement
from sandbox.gateway.limits.gate import Gate
from sandbox.gateway.limits.ledger import LimitLedger
from sandbox.gateway.limits.refusal import Refusal

__all__ = ["Enforcement", "Gate", "LimitLedger", "Refusal"]
