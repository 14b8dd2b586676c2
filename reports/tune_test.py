"""What a test run found: whether the function answers at each size, in sentences."""

from __future__ import annotations

from reports.document import TuneDocument
from reports.figures import told_sizes

TEST_WORDS = {"pass": "It works", "fail": "It does not work everywhere"}


def is_test_run(document: TuneDocument) -> bool:
    """Whether one call was made at each size, and nothing measured."""
    return document.provenance.plan == "test"


def test_headline(document: TuneDocument) -> str:
    """At which sizes the function answers and at which it does not; nothing is recommended."""
    tried = [size for size in document.sizes if size.n + size.n_cold + size.n_failed]
    failed = [size.memory_mb for size in tried if size.n_failed]
    good = [size.memory_mb for size in tried if not size.n_failed]
    parts = []
    if good:
        parts.append(f"One call at each of these sizes was answered: {told_sizes(good)}.")
    if failed:
        parts.append(f"Not answered: {told_sizes(failed)}.")
    if not tried:
        parts.append("No size was tried.")
    parts.append("A test run recommends no size.")
    return " ".join(parts)
