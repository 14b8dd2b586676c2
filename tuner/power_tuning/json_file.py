"""The text of a file from Step Functions, which keeps inputs and outputs of 256 KiB at most."""

from __future__ import annotations

from pathlib import Path

from core.errors import InputError

# Several times what an execution as the AWS CLI prints it may have, input and output escaped.
MOST_BYTES = 4_000_000


def read_json_text(path: Path) -> str:
    """The text of a file, of which no more than the limit is read.

    Raises:
        InputError: when it is too large, or not UTF-8.
        OSError: when it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise InputError(f"{path}: expected at most {MOST_BYTES} bytes (got more)")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: expected JSON in UTF-8 (byte {error.start}: {error.reason})"
        ) from error
