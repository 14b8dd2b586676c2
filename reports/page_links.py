"""Ways from a page to folders beside it, as links have them."""

from __future__ import annotations

import os
from pathlib import Path


def way_to(folder: Path, page: Path) -> str:
    """The way from the folder of `page` to `folder`, with slashes: ../runs/night."""
    return Path(os.path.relpath(folder.resolve(), page.resolve().parent)).as_posix()
