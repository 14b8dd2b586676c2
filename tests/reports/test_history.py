"""The history of a plan: what is appended comes back, and what is damaged takes nothing with it."""

from __future__ import annotations

import gzip
import json
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import AwsError, ToolError
from reports.history.encoding import encoded
from reports.history.folder_store import FolderStore
from reports.history.history import History, open_history, past_of
from reports.history.names import object_name
from reports.history.pending import append_or_keep, folders_with_pending, has_pending, send_pending
from reports.history.store import ObjectUnreadable
from tests.reports import history_records as made


@pytest.fixture
def history(tmp_path):
    return open_history(str(tmp_path / "history"))


@pytest.fixture
def cache(history):
    return history.store.folder / ".cache.sqlite"


class Counting(FolderStore):
    """A folder that counts what is read, and may refuse to be."""

    reads = 0
    refusal: Exception | None = None

    def write(self, name, data):
        if self.refusal:
            raise self.refusal
        super().write(name, data)

    def read(self, name):
        self.reads += 1
        if self.refusal:
            raise self.refusal
        return super().read(name)


def light(run):
    return run.model_copy(update={"blocks": []})


def test_runs_nights_and_events_come_back_in_order(history):
    records = [made.run(2), made.run(1, "b"), made.run(1, "a"), made.night(2), made.night(1)]
    for record in [*records, made.event(2), made.event(1)]:
        history.append(record)

    past = history.load("shop")

    assert [run.run_id for run in past.runs] == ["a0001", "b0001", "orders0002"]
    assert past.runs[2] == light(made.run(2))
    assert past.nights == (made.night(1), made.night(2))
    assert past.events == (made.event(1), made.event(2))
    assert past.problems == ()
    assert past.highest_sequence == history.highest_sequence("shop") == 2


def test_a_whole_run_is_read_by_its_name(history):
    name = history.append(made.run(1))

    assert history.read(name) == made.run(1)


def test_a_clock_that_jumps_back_reorders_nothing(history):
    late = made.night(2).model_copy(update={"started_utc": "2020-01-01T00:00:00Z"})
    for record in (late, made.night(1), made.night(3)):
        history.append(record)

    assert [night.sequence for night in history.load("shop").nights] == [1, 2, 3]


def test_a_plan_sees_only_its_own(history):
    for plan in ("shop", "shop-2", "shop 2"):
        history.append(made.run(1, plan=plan))

    assert [run.plan for run in history.load("shop").runs] == ["shop"]
    assert [run.plan for run in history.load("shop 2").runs] == ["shop 2"]
    assert history.plan_names() == ["shop", "shop-2"]


def test_a_history_that_is_not_there_is_empty(history):
    past = history.load("shop")

    assert (past.runs, past.nights, past.highest_sequence, history.plan_names()) == ((), (), 0, [])
    assert not history.store.folder.exists()


def test_the_same_record_twice_is_one_object(history):
    first = history.append(made.night(1))

    assert history.append(made.night(1)) == first
    # Compressed by another library, as on another machine.
    text = gzip.decompress(encoded(made.night(1)))
    assert history.append_bytes(first, gzip.compress(text, 1)) == first
    assert len(history.store.objects("")) == 1


def test_a_night_that_was_resumed_counts_as_it_ended_last(history):
    cut = made.night(1).model_copy(
        update={"verdict": "interrupted", "finished_utc": "2026-08-01T03:01:00+00:00"}
    )
    names = [history.append(record) for record in (made.night(1), cut, cut)]

    assert history.load("shop").nights == (made.night(1),)
    assert len(set(names)) == len(history.store.objects("")) == 2


def test_events_of_one_night_are_in_the_order_of_their_times():
    first = made.event(1, event_id="z", action="mute")
    second = made.event(1, event_id="a", action="unmute", at_utc="2026-08-01T10:00:00+00:00")

    assert past_of([second, first]).events == (first, second)


DAMAGE = [
    pytest.param(lambda data: data[:50], "it is cut", id="cut"),
    pytest.param(lambda data: b"x" * 50, "it is no gzip", id="damaged"),
    pytest.param(lambda data: gzip.compress(b"hello"), "not JSON", id="not JSON"),
    pytest.param(lambda data: encoded(made.night(1)), "type night, which does not", id="foreign"),
]


@pytest.mark.parametrize(("damage", "reason"), DAMAGE)
def test_a_damaged_object_is_told_and_takes_no_other_with_it(history, damage, reason):
    names = [history.append(made.run(sequence)) for sequence in (1, 2, 3)]
    for _ in range(2):  # the cache changes nothing
        path = history.store.folder / names[1]
        path.write_bytes(damage(encoded(made.run(2))))
        past = history.load("shop")

        assert [run.sequence for run in past.runs] == [1, 3]
        (problem,) = past.problems
        assert str(problem).startswith(f"{names[1]}: ")
        assert reason in problem.reason

    path.write_bytes(encoded(made.run(2)))
    assert [run.sequence for run in history.load("shop").runs] == [1, 2, 3]


def test_files_that_are_no_objects_are_told_but_hidden_ones_are_not(history):
    folder = (history.store.folder / history.append(made.run(1))).parent
    (folder / "notes.txt").write_text("hello")
    (folder / ".DS_Store").write_text("hello")

    assert [problem.name for problem in history.load("shop").problems] == [
        "runs/shop/2026/08/notes.txt"
    ]


def test_an_object_of_a_newer_toolkit_is_left_out_and_told(history):
    first, *others = gzip.decompress(encoded(made.run(2))).splitlines()
    newer = json.dumps({**json.loads(first), "schema_version": 2}).encode()
    history.append(made.run(1))
    history.append_bytes(object_name(made.run(2)), gzip.compress(b"\n".join([newer, *others])))

    past = history.load("shop")
    assert [run.sequence for run in past.runs] == [1]
    assert "newer version of the toolkit" in past.problems[0].reason


def test_only_new_objects_are_read(tmp_path):
    store = Counting(tmp_path)
    history = History(store, tmp_path / ".cache.sqlite")
    for sequence in (1, 2):
        history.append(made.run(sequence))

    first = history.load("shop")
    history.append(made.run(3))
    second = history.load("shop")

    assert (len(first.runs), len(second.runs), store.reads) == (2, 3, 3)
    assert second.runs[:2] == first.runs


@settings(max_examples=15)
@given(st.lists(st.tuples(st.sampled_from("radn"), st.integers(1, 4)), max_size=12))
def test_the_cache_always_agrees_with_the_objects(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("history")
    cached = History(FolderStore(folder), folder / ".cache.sqlite")
    for what, sequence in steps:
        path = folder / object_name(made.run(sequence))
        if what == "r" and path.exists():
            path.write_bytes(encoded(made.run(sequence, value=sequence)))
        elif what == "a" and not path.exists():
            cached.append(made.run(sequence))
        elif what == "d":
            path.unlink(missing_ok=True)
        else:
            cached.append(made.night(sequence))
        assert cached.load("shop") == History(FolderStore(folder)).load("shop")


def _damaged(path):
    path.write_bytes(b"SQLite format 3\0" + b"x" * 4000)


def _another_format(path):
    with sqlite3.connect(path) as opened:
        opened.execute("PRAGMA user_version = 99")
        opened.execute("DROP TABLE object")
        opened.execute("CREATE TABLE object (x)")
    opened.close()


def _changed_by_hand(path):
    with sqlite3.connect(path) as opened:
        opened.execute("UPDATE object SET body = replace(body, '120', '999')")
    opened.close()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: path.unlink(), id="deleted"),
        pytest.param(lambda path: path.write_bytes(b"not SQLite" * 100), id="not SQLite"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:3000]), id="cut"),
        pytest.param(_damaged, id="damaged"),
        pytest.param(_another_format, id="another format"),
        pytest.param(_changed_by_hand, id="changed by hand"),
    ],
)
def test_a_cache_that_is_spoilt_is_made_anew(history, cache, spoil):
    history.append(made.run(1))
    history.append(made.run(2))
    expected = history.load("shop")

    spoil(cache)

    for _ in range(3):
        assert history.load("shop") == expected
    with sqlite3.connect(cache) as opened:
        assert opened.execute("SELECT count(*) FROM object").fetchone() == (2,)
    opened.close()


def test_a_cache_that_another_process_locks_is_done_without(history, cache, monkeypatch):
    monkeypatch.setattr("reports.history.cache._PATIENCE_S", 0.01)
    history.append(made.run(1))
    expected = history.load("shop")
    history.append(made.run(2))

    other = sqlite3.connect(cache, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert history.load("shop").runs == (*expected.runs, light(made.run(2)))
    finally:
        other.close()
    assert cache.exists()


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    history = History(FolderStore(tmp_path / "history"), tmp_path / "file" / "cache")
    (tmp_path / "file").write_text("")
    history.append(made.run(1))

    assert len(history.load("shop").runs) == 1
    assert list(history.delete([object_name(made.run(1))])) == [object_name(made.run(1))]
    assert history.load("shop").runs == ()


def test_the_cache_of_a_bucket_is_in_the_users_cache_folder(tmp_path):
    found = open_history("s3://bucket/x", environment={"XDG_CACHE_HOME": str(tmp_path)})

    assert found._cache._path.parent == tmp_path / "lambda-perf-toolkit"


def test_a_history_of_which_nothing_can_be_read_is_no_empty_one(tmp_path):
    store = Counting(tmp_path)
    history = History(store)
    for sequence in (1, 2):
        history.append(made.run(sequence))
    store.refusal = ObjectUnreadable("could not read x: AccessDenied")

    with pytest.raises(ToolError, match="could not read the history: could not read x: Access"):
        history.load("shop")


def test_a_record_that_the_history_does_not_take_is_sent_the_next_night(tmp_path):
    store = Counting(tmp_path / "history")
    history = History(store)
    night = tmp_path / "runs" / "20260801T030000Z-nightly-shop"
    store.refusal = AwsError("could not write s3://b/x: 503")

    kept = [append_or_keep(history, record, night) for record in (made.run(1), made.night(1))]
    again = append_or_keep(history, made.run(1), night)

    assert kept[0].problem == (
        "could not write s3://b/x: 503; it is kept in "
        f"{night / 'unsent'} and sent to the history by the next night"
    )
    assert again == kept[0]
    assert folders_with_pending(tmp_path / "runs") == [night]
    assert send_pending(history, night).problem == "could not write s3://b/x: 503"
    assert has_pending(night)

    store.refusal = None
    sent = send_pending(history, night)

    assert (set(sent.names), sent.problem) == ({entry.name for entry in kept}, None)
    assert not has_pending(night)
    assert folders_with_pending(tmp_path / "runs") == []
    assert history.load("shop").nights == (made.night(1),)


def test_a_kept_record_that_cannot_be_read_does_not_hold_up_the_others(tmp_path, monkeypatch):
    store = Counting(tmp_path / "history")
    store.refusal = AwsError("could not write s3://b/x: 503")
    for record in (made.run(1), made.run(2)):
        append_or_keep(History(store), record, tmp_path)
    store.refusal = None
    read = FolderStore.read

    def failing(self, name):
        if "orders0001" in name:
            raise ObjectUnreadable("could not read it: Input/output error")
        return read(self, name)

    monkeypatch.setattr(FolderStore, "read", failing)
    sent = send_pending(History(store), tmp_path)

    assert sent.names == (object_name(made.run(2)),)
    assert sent.problem == "could not read it: Input/output error"
    assert has_pending(tmp_path)


def test_a_record_that_can_be_kept_nowhere_is_an_error_with_both_reasons(tmp_path):
    store = Counting(tmp_path / "history")
    store.refusal = AwsError("could not write s3://b/x: 503")
    (tmp_path / "night").write_text("a file")

    with pytest.raises(ToolError, match=r"503; and could not write .*unsent"):
        append_or_keep(History(store), made.run(1), tmp_path / "night")


def test_what_the_history_takes_leaves_nothing_behind(history, tmp_path):
    recorded = append_or_keep(history, made.run(1), tmp_path / "night")

    assert (recorded.name, recorded.problem) == (object_name(made.run(1)), None)
    assert not (tmp_path / "night").exists()
    assert send_pending(history, tmp_path / "night").names == ()
