"""Names of points: beside their point, clear of others, inside the plot."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from reports.label_places import Box, _box, place_labels
from reports.svg import text_width

BOUNDS = Box(0, 0, 400, 300)
PLACES = st.lists(st.tuples(st.floats(0, 400), st.floats(0, 300)), min_size=1, max_size=12)


def test_a_lone_label_stands_above_its_point_to_the_right():
    assert place_labels([((100, 100), "1,024")], [], BOUNDS) == [(108, 92)]


def test_at_the_right_edge_it_stands_to_the_left():
    [at] = place_labels([((395, 100), "1,024")], [], BOUNDS)
    assert at is not None
    assert at[0] < 395


def test_without_room_there_is_no_label():
    assert place_labels([((10, 10), "a long name indeed")], [], Box(0, 0, 30, 30)) == [None]


@given(PLACES)
def test_no_label_meets_a_point_or_another_label(places):
    taken = [Box(x - 5, y - 5, x + 5, y + 5) for x, y in places]
    placed = place_labels([(place, "1,024") for place in places], taken, BOUNDS)
    boxes = [_box(at, text_width("1,024")) for at in placed if at is not None]
    assert all(BOUNDS.holds(box) for box in boxes)
    assert not any(one.meets(other) for one, other in combinations(boxes, 2))
    assert not any(box.meets(point) for box in boxes for point in taken)
