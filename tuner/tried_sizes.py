"""Runs that make one call at each size: does it answer there?"""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import ExitCode
from reports.document import SizeResult, Verdict
from reports.figures import megabytes


def judge_test(sizes: Sequence[SizeResult]) -> tuple[Verdict, ExitCode, list[str]]:
    """Verdict, exit code and problems: it passes when the function answers at each size.

    Sizes that AWS does not offer are told of in the table and are no problem of the function.
    """
    tried = [size for size in sizes if size.n + size.n_cold + size.n_failed]
    missed = [size for size in sizes if size not in tried and size.failure is None]
    failed = [size for size in tried if size.n_failed]
    if not tried:
        return "invalid", ExitCode.INVALID, ["no size could be tried"]
    if failed:
        problems = [
            f"{megabytes(size.memory_mb)} does not answer: {size.failure}" for size in failed
        ]
        return "fail", ExitCode.FAILED, problems
    if missed:
        names = ", ".join(megabytes(size.memory_mb) for size in missed)
        return "inconclusive", ExitCode.INCONCLUSIVE, [f"{names}: not tried"]
    return "pass", ExitCode.PASS, []
