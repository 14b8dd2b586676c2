"""`reports history` as a user meets it: what is there, what was decided, and what follows."""

from __future__ import annotations

import json
import sys
from datetime import timedelta

import pytest

from core.errors import InputError
from reports import cli
from reports.history.commands.deciding import (
    Decider,
    accept,
    end_of,
    mute,
    series_of,
    unmute,
    who_from,
)
from reports.history.decisions import acceptance_of, mutes_in_force
from reports.history.history import open_history, past_of
from reports.history.record import SeriesId
from tests.reports import history_records as made

CART = SeriesId(step="orders", scope="GET /cart", metric="p95")
COST = SeriesId(step="orders", scope="the run", metric="cost")
NOW = made.at(41)


def records():
    """Forty nights; two figures got worse in the 38th and in the 39th."""
    for number in range(1, 41):
        alarms = {
            12: [made.alarm(12, "cleared", CART)],
            20: [made.alarm(20, "cleared", CART)],
            30: [made.alarm(30, "cleared", CART)],
            38: [made.alarm(38, "suspect")],
            39: [made.alarm(38), made.alarm(39, "suspect", CART)],
            40: [made.alarm(38), made.alarm(39, "confirmed", CART)],
        }
        yield made.run(number)
        yield made.night(number, *alarms.get(number, []))


PAST = past_of(list(records()))


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("filled") / "history"
    history = open_history(str(folder))
    for record in records():
        history.append(record)
    history.load(made.PLAN)
    return folder


@pytest.fixture
def run(tmp_path, monkeypatch, capsys, filled):
    """Runs `reports history ARGUMENTS` beside a history; gives code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTOR", "mona")
    (tmp_path / "history").symlink_to(filled)

    def go(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["reports", "history", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out.replace("\N{NO-BREAK SPACE}", " "), err

    return go


@pytest.fixture
def own(tmp_path, monkeypatch, run):
    """As `run`, on a small history that the test may change."""
    (tmp_path / "history").unlink()
    history = open_history(str(tmp_path / "history"))
    for record in (made.run(1), made.night(1, made.alarm(1))):
        history.append(record)
    return run


def decider(**values):
    ids = iter(f"id{number}" for number in range(100))
    given = {"reason": "why", "who": "mona", "now": NOW, "new_id": lambda: next(ids)}
    return Decider(plan=made.PLAN, **{**given, **values})


def test_the_list_has_nights_alarms_and_chronic_suspects_in_80_columns(run):
    code, out, err = run("list", "history", "--nights", "3")

    assert (code, err) == (0, "")
    assert out.startswith("shop: 40 nights in history, the last 3 of them\n")
    assert "2026-09-09   40  failed      3      24  2 confirmed             0000000" in out
    assert "a0038  confirmed: orders / GET /search / p95 +12 %, 5.0 to 19 %" in out
    assert "reports history accept history ID --reason TEXT" in out
    assert "3 times: orders / GET /cart / p95" in out
    assert max(map(len, out.splitlines())) <= 80


def test_the_list_as_json_has_all_of_it(run):
    code, out, _ = run("list", "--history", "history", "--name", "shop", "--json")
    told = json.loads(out)

    assert (code, told["verdict"], told["exit_code"], told["errors"]) == (0, "pass", 0, [])
    assert [night["sequence"] for night in told["nights"]] == list(range(11, 41))
    assert [alarm["alarm_id"] for alarm in told["alarms"]] == ["a0038", "a0039"]
    assert told["chronic"] == [{"series": CART.model_dump(), "cleared": 3}]


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        pytest.param("2026-09-09", ["night 2026-09-09 (id n0040, number 40): failed"], id="date"),
        pytest.param("n0039", ["number 39", "a0039  suspect", "orders0039"], id="night"),
        pytest.param(
            "orders0007", ["run orders0007 of orders", "120 ms", "±2.0 %", "2 blocks"], id="run"
        ),
        pytest.param("orders000", None, id="the beginning of several ids"),
        pytest.param("a0038", ["134 ms; before 120 ms", "(night 38): suspect"], id="alarm"),
        pytest.param("a0", None, id="too short"),
        pytest.param("a0041", None, id="none"),
    ],
)
def test_one_thing_is_shown_with_all_that_is_known_of_it(run, word, shown):
    code, out, err = run("show", "history", word)

    if shown is None:
        assert (code, out) == (2, "")
        assert f"no night, run or alarm is called '{word}'" in err
    else:
        assert code == 0
        assert [text for text in shown if text not in out] == []
        assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(("word", "key"), [("n0040", "runs"), ("orders0040", "run"),
                                           ("a0038", "alarm")])  # fmt: skip
def test_one_thing_as_json(run, word, key):
    code, out, _ = run("show", "history", word, "--json")

    assert code == 0
    assert json.loads(out)[key]


def test_an_alarm_is_accepted_muted_and_unmuted_and_the_list_tells(own, tmp_path):
    code, out, err = own("mute", "history", "orders / GET /search / p95", "--for", "2w",
                         "--reason", "fix is due")  # fmt: skip
    assert (code, err) == (0, "")
    assert out.startswith("muted orders / GET /search / p95 until 20")
    _, out, _ = own("list", "history")
    assert "a0001  muted" in out
    assert "orders / GET /search / p95: fix is due (mona)" in out

    assert own("unmute", "history", "all")[0] == 0
    code, out, _ = own("unmute", "history", "all")
    assert (code, out) == (0, "no mute of all figures is in force; nothing is changed\n")

    code, out, _ = own("accept", "history", "a0001", "--reason", "larger\npages")
    assert (code, out.replace("\n  ", " ").split(":")[0]) == (
        0,
        "accepted alarm a0001 (orders / GET /search / p95)",
    )
    _, out, _ = own("accept", "--history", "history", "--all", "--reason", "again", "--json")
    assert json.loads(out)["events"] == []
    assert "accepted already by mona" in json.loads(out)["notes"][0]
    _, out, _ = own("show", "history", "a0001")
    assert "a0001  accepted" in out
    assert "larger pages (mona)" in out.replace("\n    ", " ")
    events = open_history(str(tmp_path / "history")).load("shop").events
    assert [event.action for event in events] == ["mute", "unmute", "accept"]
    assert (events[2].sequence, events[2].from_sequence, events[2].who) == (1, 1, "mona")


def test_what_is_old_goes_only_when_that_is_agreed_to(own, tmp_path):
    options = ("history", "--older-than", "10d", "--keep-nights", "0")
    code, out, err = own("prune", *options)
    assert (code, out) == (6, "1 nights with 2 objects of history may go\n")
    assert "2 objects and 0 folders are to be deleted for good: not confirmed" in err

    assert own("prune", *options, "--dry-run")[0] == 0
    assert own("prune", *options, "--keep", "n0001", "--yes")[1] == (
        "nothing of shop is old enough to go\n  1 old nights stay: named to be kept\n"
    )
    assert len(open_history(str(tmp_path / "history")).load("shop").nights) == 1
    code, out, _ = own("prune", *options, "--yes")
    assert (code, out.splitlines()[-1]) == (0, "deleted 2 objects and 0 folders")
    assert open_history(str(tmp_path / "history")).load("shop").nights == ()


def test_no_night_goes_while_a_decision_cannot_be_read(own, tmp_path):
    (tmp_path / "history" / "events" / "shop").mkdir(parents=True)
    (tmp_path / "history" / "events" / "shop" / "x.ndjson.gz").write_bytes(b"cut")

    code, out, err = own("prune", "history", "--older-than", "9d", "--keep-nights", "0", "--yes")

    assert (code, out) == (0, "nothing of shop is old enough to go\n")
    assert "no night goes: a decision that cannot be read may be" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["list"], "no history is named (give a plan", id="nothing"),
        pytest.param(["list", "nowhere"], "there is no such folder (give a plan", id="no folder"),
        pytest.param(["list", "nowhere.yaml"], "could not read nowhere.yaml: No", id="no plan"),
        pytest.param(["list", "gs://x"], "gs:// is not known; expected a folder", id="scheme"),
        pytest.param(["list", "history", "--name", "shpo"], "(did you mean shop?)", id="name"),
        pytest.param(["list", "history", "--env", "x"], "--env: only a plan has", id="env"),
        pytest.param(["list", "a.yaml", "--name", "x"], "--name: a plan has its own", id="both"),
        pytest.param(["list", "history", "--nights", "0"], "--nights", id="no nights"),
        pytest.param(["list", "history", "x"], "unexpected extra argument", id="two places"),
        pytest.param(["show", "history"], "expected one ID", id="no id"),
        pytest.param(["show", "--history", "history", "x", "y"], "(got 2)", id="two ids"),
        pytest.param(["accept", "history", "a0038"], "Missing option '--reason'", id="reason"),
        pytest.param(
            ["accept", "history", "a0038", "--reason", " "], "--reason: expected", id="empty"
        ),
        pytest.param(
            ["accept", "history", "a00388", "--reason", "x"], "(did you mean a0038?)", id="close"
        ),
        pytest.param(
            ["accept", "history", "a0038", "--reason", "x", "--all"], "--all: goes", id="all"
        ),
        pytest.param(
            ["mute", "history", "a0038", "--reason", "x"], "a mute has an end", id="no end"
        ),
        pytest.param(["prune", "history"], "nothing says what is old", id="nothing is old"),
        pytest.param(
            ["prune", "history", "--older-than", "1y"], "--older-than: expected a number", id="1y"
        ),
        pytest.param(
            ["prune", "history", "--older-than", "9d", "--keep", "a0038"], "--keep: ", id="keep"
        ),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(run, filled, arguments, said):
    before = sorted(path.name for path in filled.rglob("*"))
    code, out, err = run(*arguments)

    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err
    assert sorted(path.name for path in filled.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "figures", "levels"),
    [
        pytest.param(["a0038"], [], [("a0038", made.SEARCH, 38)], id="an alarm"),
        pytest.param(
            ["all"], [], [("a0038", made.SEARCH, 38), ("a0039", CART, 39)], id="the last night"
        ),
        pytest.param(["all"], [str(CART)], [("a0039", CART, 39)], id="a figure of the last night"),
        pytest.param(["2026-09-07"], [], [("a0038", made.SEARCH, 38)], id="a night"),
        pytest.param(["n0040"], [str(COST)], [(None, COST, 40)], id="an improvement"),
        pytest.param(["n0040"], ["all"], [(None, None, 40)], id="all figures of a night"),
        pytest.param(["n0040"], [str(CART)], [("a0039", CART, 39)], id="its alarm"),
        pytest.param(["a0038", "n0038"], [], [("a0038", made.SEARCH, 38)], id="named twice"),
    ],
)
def test_a_new_level_holds_from_the_first_night_of_the_change(words, figures, levels):
    decided = accept(PAST, words, figures, decider())

    found = [(event.alarm_id, event.series, event.from_sequence) for event in decided.events]
    assert found == levels
    assert {event.sequence for event in decided.events} == {40}


@pytest.mark.parametrize(
    ("words", "figures", "said"),
    [
        pytest.param([], [], "nothing is named", id="nothing"),
        pytest.param(["n0001"], [], "has no alarm to accept", id="a quiet night"),
        pytest.param(["n0012"], [], "has no alarm to accept", id="only a cleared one"),
        pytest.param(["orders0001"], [], "expected the ID of an alarm or of a night", id="a run"),
        pytest.param(["a0038"], ["all"], "--series: goes with a night", id="figure of an alarm"),
        pytest.param(["n0040"], ["x"], "no figure is called 'x'", id="no figure"),
    ],
)
def test_what_cannot_be_accepted_says_why(words, figures, said):
    with pytest.raises(InputError, match=said):
        accept(PAST, words, figures, decider())


def test_accepting_twice_says_so_and_records_nothing():
    first = accept(PAST, ["a0038"], [], decider())
    past = past_of([*PAST.runs, *PAST.nights, *first.events])
    again = accept(past, ["all"], [], decider())

    assert [event.alarm_id for event in again.events] == ["a0039"]
    assert again.notes == ("alarm a0038 is accepted already by mona, 2026-09-10: why",)
    assert acceptance_of(first.events, made.alarm(38)) is first.events[0]


def test_mutes_end_by_the_clock_or_by_a_word():
    held = mute(PAST, "a0038", NOW + timedelta(days=2), decider()).events
    past = past_of([*PAST.runs, *PAST.nights, *held])
    later = decider(now=NOW + timedelta(hours=1))

    assert mutes_in_force(held, NOW + timedelta(days=1)) == list(held)
    assert mutes_in_force(held, NOW + timedelta(days=2)) == []
    assert len(unmute(past, "a0038", later).events) == 1
    (still,) = unmute(past, str(made.SEARCH), later).events  # its alarms are its own
    assert mutes_in_force([*held, still], later.now) == []
    nothing = unmute(past, str(CART), later)
    assert nothing.events == ()
    assert nothing.notes[1] == "still muted until 2026-09-12 03:00 UTC: alarm a0038"


@pytest.mark.parametrize(
    ("until", "span", "end"),
    [
        pytest.param("2026-09-12", None, "2026-09-13T00:00:00+00:00", id="to the end of a day"),
        pytest.param("2026-09-10", None, "2026-09-11T00:00:00+00:00", id="of today"),
        pytest.param("2026-09-12T08:00+02:00", None, "2026-09-12T06:00:00+00:00", id="a time"),
        pytest.param(None, "12h", "2026-09-10T15:00:00+00:00", id="hours"),
        pytest.param(None, "2 w", "2026-09-24T03:00:00+00:00", id="weeks"),
    ],
)
def test_when_a_mute_ends(until, span, end):
    assert end_of(until, span, NOW).isoformat() == end


@pytest.mark.parametrize(
    ("until", "span"),
    [
        pytest.param(None, None, id="neither"),
        pytest.param("2026-09-12", "1d", id="both"),
        pytest.param("2026-09-09", None, id="over"),
        pytest.param("2028-01-01", None, id="too far"),
        pytest.param("9999-12-31", None, id="the last day"),
        pytest.param("0001-01-01T00:00+14:00", None, id="before the first day"),
        pytest.param("tomorrow", None, id="a word"),
        pytest.param(None, "14", id="no unit"),
        pytest.param(None, "0d", id="nothing"),
        pytest.param(None, "-1d", id="backwards"),
        pytest.param(None, "9999w", id="two hundred years"),
    ],
)
def test_an_end_that_is_none_is_refused(until, span):
    with pytest.raises(InputError, match=r"--until|--for"):
        end_of(until, span, NOW)


def test_a_figure_is_found_whatever_the_spaces_are():
    assert series_of(PAST, "orders/GET /search/p95") == made.SEARCH
    with pytest.raises(InputError, match=r"did you mean orders / GET /search / p95\?"):
        series_of(PAST, "orders / GET /serch / p95")


@pytest.mark.parametrize(
    ("environment", "who"),
    [
        ({"USER": "runner", "GITHUB_ACTOR": "mona"}, "mona"),
        ({"USER": "ann"}, "ann"),
        ({"USER": " "}, None),
    ],
)
def test_who_decides_is_who_started_the_job(environment, who):
    assert who_from(environment) == who
