"""Tables as Parquet. pyarrow writes them, which takes 170 MB and so is an extra of the package."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import TYPE_CHECKING

from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def check_parquet(option: str) -> None:
    """Refuses Parquet where nothing can write it; `option` names what asked for it.

    Raises:
        InputError: pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise InputError(
            f"{option}: needs pyarrow, which is not installed", hint="pip install pyarrow"
        )


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """`frame` as one Parquet file, without its index."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, engine="pyarrow", index=False)
    return buffer.getvalue()
