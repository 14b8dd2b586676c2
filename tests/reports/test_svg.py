"""Drawing primitives: well formed, escaped, and labels that keep clear of each other."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import svg


@pytest.mark.parametrize(
    ("value", "written"), [(1.0, "1"), (1.25, "1.2"), (-0.01, "0"), (-2.5, "-2.5"), (1e3, "1000")]
)
def test_pixels_have_at_most_one_decimal(value, written):
    assert svg.number(value) == written


def parsed(markup):
    return ElementTree.fromstring(markup)  # noqa: S314 - what this test has just drawn


# Control characters and the two non-characters cannot stand in XML at all.
WRITABLE = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"
)


@given(st.text(WRITABLE, max_size=30))
def test_any_text_comes_back_from_the_markup_unchanged(content):
    group = parsed(svg.titled(content, svg.text((1, 2), content)))
    assert [child.text or "" for child in group] == [content, content]


def test_attribute_values_are_escaped():
    drawn = svg.element("g", {"class": '"><script>'})
    assert parsed(drawn).attrib == {"class": '"><script>'}


@pytest.mark.parametrize("shape", ["circle", "square", "diamond", "cross"])
def test_every_marker_is_one_element_of_its_own_shape(shape):
    drawn = parsed(svg.marker(shape, (10, 20), "c-data", svg.DATA))
    assert drawn.tag in {"circle", "polygon", "path"}
    assert svg.DATA in drawn.attrib.values()


def test_an_error_bar_spans_its_interval():
    drawn = parsed(svg.error_bar(50, 90, 30, "c-data", svg.DATA))
    assert drawn.attrib["d"].startswith("M50 90V30")


LABELS = st.lists(
    st.tuples(
        st.floats(40, 330),
        st.sampled_from(["1 vCPU", "current 512 MB", "recommended 1,769 MB"]),
    ),
    min_size=1,
    max_size=3,
    # Rules closer than this cannot be told apart anyway; the tuner's sizes are 64 MB apart.
    unique_by=lambda label: round(label[0] / 12),
)


@given(LABELS)
def test_flags_of_one_row_do_not_overlap_and_stay_inside(labels):
    flags = svg.place_flags(labels, 2, 344)
    assert len(flags) == len(labels)
    for (x, _), flag in zip(labels, flags, strict=True):
        assert 2 <= flag.left < flag.right <= 344
        assert flag.left <= x <= flag.right
    for one, other in combinations(flags, 2):
        if one.row == other.row:
            assert one.right < other.left or other.right < one.left


def test_a_rule_does_not_cross_the_label_of_another():
    # The wide label belongs to the right-hand rule and covers the left-hand one.
    labels = [(250.0, "recommended 1,769 MB (1 vCPU)"), (150.0, "current 512 MB")]
    wide, narrow = svg.place_flags(labels, 2, 344)
    assert (wide.row, narrow.row) == (1, 0)


def test_a_label_wider_than_the_plot_still_gets_a_place():
    [flag] = svg.place_flags([(100.0, "x" * 200)], 2, 344)
    assert (flag.row, flag.anchor) == (0, "start")


def test_tick_labels_give_way_to_those_asked_first():
    wanted = [(100.0, "1,536"), (112.0, "1,769"), (300.0, "3,008")]
    assert svg.spaced_labels(wanted) == {0, 2}
    assert svg.spaced_labels(wanted, first=[1]) == {1, 2}
