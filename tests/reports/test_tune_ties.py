"""Ties in words: a reader sees ranges, and the names of sizes where there are few."""

from __future__ import annotations

import pytest

from reports.document import TuneDocument
from reports.figures import SPACE
from reports.tune_ties import ties_sentence, ties_words
from tests.reports import documents
from tests.reports.adaptive_documents import CANDIDATES, adaptive_document, many_tied, taken_size


def words(document: TuneDocument) -> str:
    return ties_words(document).replace(SPACE, " ")


def test_twenty_candidates_are_one_range():
    assert words(many_tied()) == "from 256 to 1,664 MB"
    assert ties_sentence(many_tied()).startswith("Sizes from 256 to 1,664")


@pytest.mark.parametrize(
    ("tied_mb", "expected"),
    [
        ([1024], ""),
        ([1024, 1152], "1,024 and 1,152 MB"),
        ([896, 1024, 1152], "from 896 to 1,152 MB"),
        ([128, 896, 1024, 1152], "128 and from 896 to 1,152 MB"),
        ([896, 1152], "from 896 to 1,152 MB"),
        ([1024, 1536], "1,024 and 1,536 MB"),
    ],
    ids=["alone", "two", "three in a row", "one apart", "the taken one counts", "with a gap"],
)
def test_neighbours_on_the_grid_make_a_range(tied_mb, expected):
    assert words(adaptive_document(taken_size(1024, tied_mb=tied_mb))) == expected


def test_a_size_that_failed_in_the_middle_breaks_the_range():
    sizes = [documents.failed_size(1200, "timeout after 3 s")]
    tied = [896, 1024, 1152, 1280, 1408, 1536]
    document = adaptive_document(taken_size(1024, tied_mb=tied), sizes=sizes)
    assert words(document) == "from 896 to 1,152 and from 1,280 to 1,536 MB"


def test_without_a_curve_many_sizes_are_counted():
    document = adaptive_document(taken_size(1024, tied_mb=list(CANDIDATES)), model=None)
    assert words(document) == "28 sizes from 128 to 3,008 MB"


def test_a_fixed_plan_names_its_sizes():
    assert words(documents.cpu_bound()) == "1,536 and 1,769 MB"
    assert ties_sentence(documents.waiting()) == ""
