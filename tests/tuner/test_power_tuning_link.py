"""Links to lambda-power-tuning.show: both ways, and what comes out of damaged ones."""

from __future__ import annotations

import base64
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.console import Console
from reports.document import SizeResult, TuneDocument
from reports.run_folder import read_document
from tests.reports import documents
from tests.tuner.test_analyze import a_run, again
from tuner.delivery import deliver
from tuner.power_tuning.link import (
    LARGEST_MB,
    SITE,
    Chart,
    Point,
    decode_link,
    encode_link,
    link_of,
)

figures = st.floats(min_value=0, max_value=9e5, width=32)
points = st.builds(Point, st.integers(1, LARGEST_MB), figures, figures)


@given(st.lists(points, min_size=1, max_size=50, unique_by=lambda point: point.memory_mb))
def test_a_link_holds_what_was_put_into_it(shown: list[Point]) -> None:
    ordered = sorted(shown, key=lambda point: point.memory_mb)

    assert decode_link(encode_link(shown)) == Chart(tuple(ordered))


def test_the_columns_are_those_of_power_tuning() -> None:
    sizes, times, costs = encode_link([Point(512, 2.5, 1e-6), Point(128, 10, 2e-6)]).removeprefix(
        f"{SITE}#"
    ).split(";")  # fmt: skip

    assert sizes == "gAAAAg=="
    assert struct.unpack("<2f", base64.b64decode(times)) == (10.0, 2.5)
    assert struct.unpack("<2f", base64.b64decode(costs)) == pytest.approx((2e-6, 1e-6))


@pytest.mark.parametrize(
    "shown", [[], [Point(LARGEST_MB + 1, 1, 1)], [Point(0, 1, 1)]], ids=["none", "Int16", "zero"]
)
def test_what_a_link_has_no_room_for_is_refused(shown: list[Point]) -> None:
    with pytest.raises(ValueError, match="a link holds sizes from 1 to 32767 MB"):
        encode_link(shown)


def test_a_link_may_lead_to_another_site_and_have_another_currency() -> None:
    link = encode_link([Point(128, 10, 2e-6)]).replace(
        SITE, "https://tuning.example.com/a?currency=CNY"
    )

    assert decode_link(link).currency == "CNY"


def test_an_escaped_link_is_read_as_well() -> None:
    link = encode_link([Point(128, 10, 2)])

    assert decode_link(link.replace("=", "%3D").replace(";", "%3B")) == decode_link(link)


@pytest.mark.parametrize(
    ("fragment", "message"),
    [
        pytest.param("", 'after "#".*got 0 of 3 parts', id="nothing"),
        pytest.param("gAA=", "got 1 of 3 parts; in a shell, quote the link", id="cut"),
        pytest.param("a;b;c;d", "got 4 of 3 parts", id="four"),
        pytest.param("gAA=;???;AACAPw==", "durations: expected base64", id="no base64"),
        pytest.param("gAA=;gAA=;AACAPw==", "durations: .* 4 bytes each .got 2", id="cut"),
        pytest.param("gAA=;;AACAPw==", "durations: .* 4 bytes each .got 0", id="empty"),
        pytest.param("gAAAAg==;AACAPw==;AACAPw==", "got 2, 1 and 1", id="lengths"),
        pytest.param("AIA=;AACAPw==;AACAPw==", r"sizes: .* from 1 up \(got -32768\)", id="Int16"),
        pytest.param("gAA=;AADAfw==;AACAPw==", r"durations: .* from 0 up \(got nan\)", id="NaN"),
    ],
)  # fmt: skip
def test_a_damaged_link_says_what_is_wrong(fragment: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode_link(f"{SITE}#{fragment}")


@given(st.one_of(st.text(max_size=60), st.text("AQgwz/+=;%3BD[]?#", max_size=60)))
def test_no_text_breaks_the_reader(text: str) -> None:
    with suppress(ValueError):
        decode_link(f"{SITE}#{text}")
        decode_link(text)


def test_the_link_of_a_run_has_medians_and_costs_of_the_sizes_that_worked() -> None:
    sizes = documents.with_failures().sizes

    link = link_of(sizes)

    assert link is not None
    shown = decode_link(link).points
    assert [point.memory_mb for point in shown] == [1024, 1769, 3008]
    for point, size in zip(shown, sizes[2:], strict=True):
        assert size.duration_ms is not None
        assert size.cost_usd_per_million is not None
        assert point.duration_ms == pytest.approx(size.duration_ms.p50)
        assert point.cost * 1e6 == pytest.approx(size.cost_usd_per_million)


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param([], id="nothing"),
        pytest.param([documents.failed_size(128, "timeout")], id="failed"),
        pytest.param([documents.size_result(32768, documents.flat)], id="beyond Int16"),
    ],
)
def test_where_nothing_can_be_shown_there_is_no_link(sizes: list[SizeResult]) -> None:
    assert link_of(sizes) is None


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://example.com/#gAA=;AACAPw==;AACAPw==",
        f"{SITE}#gAA=;AACAPw==",
        f"{SITE}#gAA=;AACAPw==;AACAPw==\n",
    ],
)
def test_a_document_takes_no_other_link(url: str) -> None:
    with pytest.raises(ValidationError, match="visualization_url"):
        documents.document([], visualization_url=url)


@pytest.mark.parametrize(("verbosity", "times"), [(0, 0), (1, 1)])
def test_the_link_is_said_to_those_who_want_details(
    verbosity: int, times: int, capsys: pytest.CaptureFixture[str]
) -> None:
    link = encode_link([Point(512, 2.5, 1e-6)])
    document = documents.document([], visualization_url=link)

    deliver(document, (), Console(verbosity=verbosity))

    assert capsys.readouterr().err.count(f"chart: {link}") == times


def test_a_run_and_its_second_look_have_the_link(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_document(a_run(tmp_path), TuneDocument)

    _, document = again(tmp_path, capsys)

    assert before.visualization_url == document["visualization_url"] == link_of(before.sizes)
