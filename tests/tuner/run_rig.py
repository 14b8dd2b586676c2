"""Whole runs of `tune` in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import ExitCode
from tuner.options import TuneOptions

# Runs `tune` on a function with these options; gives its exit code and its document.
Tune = Callable[..., tuple[ExitCode, dict[str, Any]]]


def tune_options(function: str, **given: Any) -> TuneOptions:
    """The options of a command line that says only what is `given`."""
    plain: dict[str, Any] = {
        "payload_file": None,
        "payload_text": None,
        "sizes": None,
        "min_memory_mb": None,
        "max_memory_mb": None,
        "samples": None,
        "thorough": False,
        "parallel": 1,
        "max_invocations": None,
        "max_usd": None,
        "max_seconds": None,
        "objective": None,
        "weight": None,
        "slo": None,
        "knee": None,
        "cold_share": None,
        "cold_samples": None,
        "requests_per_month": None,
        "seed": 1,
        "region": None,
        "profile": None,
        "sandbox": False,
        "price_file": None,
        "server_price_file": None,
        "arch": None,
        "arch_function": None,
        "exports": (),
        "runs": Path("runs"),
        "dry_run": False,
        "yes": False,
    }
    return TuneOptions(function=function, **{**plain, **given})
