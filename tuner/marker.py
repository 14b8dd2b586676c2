"""The Description that a run gives to what it makes, so that a stranger can undo it.

A Description is all that a function carries along without meaning to Lambda. The marker names the
run, the setting that was there before and the code that the run measures; it makes each published
version differ from every earlier one, because PublishVersion gives back the old version when
nothing has changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.aws.limits import DESCRIPTION_MAX_CHARS

_MARKER = re.compile(
    r"tune-run ([0-9a-f]{12}) size=(\d+) was=(\d+) code=([0-9A-Za-z+/=]*)(?: copy=\d+)? :: (.*)",
    re.DOTALL,
)
# 48 bits of the SHA-256: enough to tell one deploy from the next.
_CODE_CHARS = 8


@dataclass(frozen=True, slots=True)
class Marker:
    """What a marked Description says; `description` is cut where it did not fit.

    `code` is the beginning of the code's CodeSha256. `full` says that the marked Description fills
    Lambda's 256 characters, so that something may be missing.
    """

    run_id: str
    size_mb: int
    original_mb: int
    code: str
    description: str
    full: bool

    def is_about(self, code_sha256: str) -> bool:
        """Whether the run measured this code: a deploy of another one inherits the Description."""
        return code_sha256[:_CODE_CHARS] == self.code


def marked_description(
    run_id: str,
    size_mb: int,
    original_mb: int,
    code_sha256: str,
    description: str,
    *,
    copy: int = 1,
) -> str:
    """The Description for one size, within Lambda's 256 characters.

    Further versions of the same size are told apart by `copy`, so that each is a new one.
    """
    code = code_sha256[:_CODE_CHARS]
    counter = f" copy={copy}" if copy > 1 else ""
    mark = f"tune-run {run_id} size={size_mb} was={original_mb} code={code}{counter} :: "
    return (mark + description)[:DESCRIPTION_MAX_CHARS]


def parse_marker(description: str) -> Marker | None:
    """The marker in a Description, or None when it is nobody's but the user's."""
    match = _MARKER.fullmatch(description)
    if not match:
        return None
    run_id, size_mb, original_mb, code, original = match.groups()
    full = len(description) >= DESCRIPTION_MAX_CHARS
    return Marker(run_id, int(size_mb), int(original_mb), code, original, full)
