"""The Description of a version that was published to apply a size.

It says where the version comes from, and it is how a version of a killed application is known.
It is another one than that of the test versions of a run, which `tune restore` deletes.
"""

from __future__ import annotations

import re

from core.aws.limits import DESCRIPTION_MAX_CHARS

_MARK = re.compile(r" ?\[tune-apply ([0-9a-f]{12}): \d+ MB, was \d+ MB\]$")


def applied_description(apply_id: str, from_mb: int, to_mb: int, description: str) -> str:
    """`description` of the version before, and the mark, within Lambda's 256 characters."""
    mark = f"[tune-apply {apply_id}: {to_mb} MB, was {from_mb} MB]"
    kept = _MARK.sub("", description)[: DESCRIPTION_MAX_CHARS - len(mark) - 1]
    return f"{kept} {mark}" if kept else mark


def application_of(description: str) -> str | None:
    """The id of the application that published a version; None where somebody else did."""
    match = _MARK.search(description)
    return match[1] if match else None
