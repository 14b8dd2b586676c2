"""Whether a command of this machine can be started, asked before anything is spent or changed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from core.errors import InputError


def check_program(option: str, program: str, expected: str) -> None:
    """Looks for a program in PATH, or at its path.

    Raises:
        InputError: naming the option, the program and what was expected.
    """
    if shutil.which(program) is not None:
        return
    if os.sep in program and Path(program).exists():
        raise InputError(f"{option}: {program!r} is not executable", hint="chmod +x makes it so")
    where = "no such file" if os.sep in program else "not found in PATH"
    raise InputError(f"{option}: {program!r}: {where}", hint=f"expected {expected}")
