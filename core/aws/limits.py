"""Hard limits of Lambda that the toolkit must know before it asks AWS.

Source: "Lambda quotas", AWS Lambda Developer Guide, 2026 edition, unless a line says otherwise.
"""

from __future__ import annotations

MEMORY_MIN_MB = 128
# The API model allows 32,768, which is for Lambda Managed Instances only.
MEMORY_MAX_MB = 10_240
# New accounts are capped here until AWS lifts it ("Troubleshoot deployment issues in Lambda").
MEMORY_NEW_ACCOUNT_MAX_MB = 3_008

TIMEOUT_MAX_S = 900
# Billed besides the timeout of the first call; a longer INIT is run again within that timeout.
INIT_MAX_S = 10
SYNC_PAYLOAD_MAX_BYTES = 6 * 1024 * 1024
DESCRIPTION_MAX_CHARS = 256
# /tmp up to here is in the price of memory; above it is billed by GB-second.
EPHEMERAL_STORAGE_FREE_MB = 512

# "At 1,769 MB, a function has the equivalent of one vCPU": Configure Lambda function memory.
MEMORY_PER_VCPU_MB = 1_769


def vcpu_share(memory_mb: float) -> float:
    """The vCPUs that `memory_mb` buys; in proportion, as the Developer Guide says."""
    return memory_mb / MEMORY_PER_VCPU_MB
