"""Feeds: what their files may be, and who gets which row."""

from __future__ import annotations

import csv
import random
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from loadgen.flow import feeds
from loadgen.flow.feeds import Feeder, Rows, read_rows


def written(folder: Path, content: bytes | str, name: str = "users.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def all_rows(path: Path) -> list[dict[str, Any]]:
    rows = read_rows(path)
    return [dict(rows.row(index)) for index in range(len(rows.rows))]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"id,name\n1,Ann\n2,Bob\n", id="plain"),
        pytest.param(b"id,name\r\n1,Ann\r\n2,Bob", id="windows"),
        pytest.param(b"\xef\xbb\xbfid,name\n1,Ann\n2,Bob\n", id="byte-order-mark"),
        pytest.param(b"\n id , name\n\n1,Ann\n\n2,Bob\n\n", id="blank-lines"),
        pytest.param(b'"id","name"\n"1","Ann"\n2,"Bob"\n', id="quoted"),
    ],
)
def test_a_csv_file_has_a_header_and_rows(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content)
    assert all_rows(path) == [{"id": "1", "name": "Ann"}, {"id": "2", "name": "Bob"}]
    assert read_rows(path).columns == ("id", "name")


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.JSONL"])
def test_json_lines_are_objects(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, '{"id": 1, "a": {"b": [2]}}\n\r\n {"id": null}\r\n', name)
    assert all_rows(path) == [{"id": 1, "a": {"b": [2]}}, {"id": None}]
    assert read_rows(path).columns is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ": has no header with the names of the columns"),
        (b"\n\n", ": has no header with the names of the columns"),
        (b"id,name\n", ": has no rows"),
        (b"id,,name\n1,2,3\n", ":1: column 2 has no name"),
        (b"id,name, id\n1,2,3\n", ":1: two columns have the name id"),
        (b"\n\nid,id\n1,2\n", ":3: two columns have the name id"),
        (b"id,name\n1,Ann\n2\n", ":3: must have 2 values (got 1)"),
        (b"id,name\n1,Ann,x\n", ":2: must have 2 values (got 3)"),
        (b'id,name\n1,"A\nn\nn"\n2\n', ":5: must have 2 values (got 1)"),
        (b'id,name\n1,"Ann\n', ":2: unexpected end of data"),
        (b'id,name\n1,"Ann"x\n', ":2: ',' expected after '\"'"),
        (b"id,name\n1,Ann\n2,\xff\n", ":3: is not UTF-8"),
    ],
)
def test_a_csv_file_that_is_wrong_is_refused_with_its_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(InputError) as caught:
        read_rows(path)
    assert str(caught.value) == f"{path}{message}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\n", ": has no rows"),
        ('{"a": 1}\n[1]\n', ':2: must be an object such as {"id": 1}'),
        ('{"a": 1}\n\n{"a"}\n', ":3: is not JSON: "),
    ],
)
def test_json_lines_that_are_wrong_are_refused_with_their_line(
    tmp_path: Path, content: str, message: str
) -> None:
    path = written(tmp_path, content, "users.jsonl")
    with pytest.raises(InputError) as caught:
        read_rows(path)
    assert str(caught.value).startswith(f"{path}{message}")


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"users\.txt: a feed must be a \.csv, \.jsonl or"):
        read_rows(written(tmp_path, "id\n1\n", "users.txt"))
    with pytest.raises(InputError, match=r"could not read the feed: No such file"):
        read_rows(tmp_path / "absent.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"could not read the feed: Is a directory"):
        read_rows(tmp_path / "folder.csv")


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "id\n1\n2\n3\n")
    monkeypatch.setattr(feeds, "MAX_ROWS", 3)
    assert len(read_rows(path).rows) == 3
    monkeypatch.setattr(feeds, "MAX_ROWS", 2)
    with pytest.raises(InputError, match=r"a feed may have 2 rows \(got more\)"):
        read_rows(path)
    monkeypatch.setattr(feeds, "MAX_FILE_BYTES", 8)
    with pytest.raises(InputError, match=r"a feed may have 8 bytes \(got 9\)"):
        read_rows(path)


CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n))))
def test_what_a_csv_writer_wrote_comes_back(table: list[list[str]]) -> None:
    columns = [f"c{number}" for number in range(len(table[0]) if table else 1)]
    text = StringIO()
    csv.writer(text).writerows([columns, *table])
    rows = feeds._csv(Path("x.csv"), text.getvalue())
    assert rows.columns == tuple(columns)
    assert [list(row) for row in rows.rows] == table


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(st.text("abc"), JSON, max_size=3)))
def test_json_lines_come_back(objects: list[dict[str, Any]]) -> None:
    text = "\n".join(orjson.dumps(one).decode() for one in objects)
    assert list(feeds._objects(Path("x.jsonl"), text)) == objects


# -- who gets which row -----------------------------------------------------------------------


def numbered(count: int) -> Rows:
    return Rows(("n",), [(str(number),) for number in range(count)])


def drawn(
    count: int,
    draws: int,
    *,
    order: Literal["sequence", "random", "unique"] = "sequence",
    on_end: Literal["recycle", "stop"] | None = None,
    injector: int = 0,
    injectors: int = 1,
    seed: int = 1,
) -> list[int | None]:
    feeder = Feeder(
        numbered(count),
        order=order,
        on_end=on_end,
        rng=random.Random(seed),
        injector=injector,
        injectors=injectors,
    )
    rows = [feeder.draw() for _ in range(draws)]
    return [None if row is None else int(str(row["n"])) for row in rows]


def test_a_sequence_begins_again_unless_it_stops() -> None:
    assert drawn(3, 7) == [0, 1, 2, 0, 1, 2, 0]
    assert drawn(3, 7, on_end="recycle") == [0, 1, 2, 0, 1, 2, 0]
    assert drawn(3, 5, on_end="stop") == [0, 1, 2, None, None]


def test_unique_always_stops() -> None:
    assert drawn(3, 5, order="unique", on_end="recycle") == [0, 1, 2, None, None]


def test_random_draws_any_row_by_the_seed() -> None:
    assert set(drawn(5, 200, order="random")) == set(range(5))
    assert drawn(50, 20, order="random", seed=3) == drawn(50, 20, order="random", seed=3)
    assert drawn(50, 20, order="random", seed=3) != drawn(50, 20, order="random", seed=4)


def test_injectors_go_through_a_sequence_in_turn() -> None:
    assert drawn(5, 4, injector=0, injectors=2) == [0, 2, 4, 1]
    assert drawn(5, 4, injector=1, injectors=2) == [1, 3, 0, 2]
    assert drawn(2, 3, injector=5, injectors=6) == [1, 1, 1], "more injectors than rows"


@given(st.integers(1, 40), st.integers(1, 6))
def test_a_unique_row_is_used_once_over_all_injectors(count: int, injectors: int) -> None:
    rows = [
        row
        for injector in range(injectors)
        for row in drawn(count, count + 1, order="unique", injector=injector, injectors=injectors)
        if row is not None
    ]
    assert sorted(rows) == list(range(count))
