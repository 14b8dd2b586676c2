"""Steps of a night, one after another, with real children that measure nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import ExitCode, InputError, Refused, ToolError
from reports.history.history import History, open_history
from reports.nightly.conduct import pair_seed
from reports.nightly.confirming import (
    Further,
    Left,
    RunOfStep,
    further_runs,
    most_runs,
    purposes_of,
    turns_of,
)
from reports.nightly.journal import NightJournal, read_journal, why_not_resumed
from reports.nightly.night_folder import NightFolder
from reports.nightly.put_back import PutBack, function_name
from reports.nightly.run_records import Step
from tests.reports.night_rig import NOW, Rig, suspect, write_templates


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("templates")
    write_templates(folder)
    return folder


@pytest.fixture
def place(tmp_path: Path, templates: Path) -> Path:
    """A folder for a night, with the documents of its children."""
    for name in ("load.json", "tune.json"):
        (tmp_path / name).symlink_to(templates / name)
    return tmp_path


def wait_for(path: Path) -> int:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int(path.read_text())
        time.sleep(0.005)
    raise AssertionError(f"{path} did not come")


def recorded(place: Path) -> list[tuple[str, str, bool]]:
    """Step, purpose and validity of the runs in the history, by their beginning."""
    runs = open_history(str(place / "history")).load("shop").runs
    return sorted((run.step, run.purpose, run.valid) for run in runs)


def test_a_step_that_comes_to_nothing_does_not_keep_the_others(place: Path) -> None:
    rig = Rig(
        place,
        {
            "crashes": {"crash": True},
            "refuses": {"refuse": "profile.yaml:1: no such key"},
            "dies": {"die": True},
            "fails": {"verdict": "failed"},
            "passes": {},
        },
    )

    document = rig.run()

    steps = {step.name: (step.verdict, step.exit_code, step.errors) for step in document.steps}
    assert steps == {
        "crashes": (
            "no result", 1, ["it left no result and ended with code 1: Traceback: it broke"]
        ),
        "refuses": ("no result", 2, ["profile.yaml:1: no such key"]),
        "dies": ("pass", 1, ["it was killed by SIGKILL: dies begins"]),
        "fails": ("failed", 3, []),
        "passes": ("pass", 0, []),
    }  # fmt: skip
    assert recorded(place) == [
        ("dies", "night", False), ("fails", "night", False), ("passes", "night", True),
    ]  # fmt: skip
    assert [record.step for record in rig.judged[-1][0]] == ["dies", "fails", "passes"]


def test_a_measurement_that_is_not_valid_is_made_once_more(place: Path) -> None:
    rig = Rig(
        place,
        {
            "once": {"verdict": "invalid", "then": {"verdict": "pass"}},
            "twice": {"verdict": "invalid"},
        },
    )

    document = rig.run()

    assert [(step.verdict, len(step.runs)) for step in document.steps] == [
        ("pass", 2), ("invalid", 2),
    ]  # fmt: skip
    assert recorded(place) == [
        ("once", "night", False), ("once", "night", True),
        ("twice", "night", False), ("twice", "night", False),
    ]  # fmt: skip
    tonight, _ = rig.judged[-1]
    assert [(record.step, record.verdict) for record in tonight] == [
        ("once", "pass"), ("twice", "invalid"),
    ]  # fmt: skip
    logs = sorted(path.name for path in (rig.night / "steps").glob("*.log"))
    assert logs == ["1-once-attempt-2.log", "1-once.log", "2-twice-attempt-2.log", "2-twice.log"]


def test_a_step_over_its_time_limit_is_ended_and_what_it_has_does_not_count(place: Path) -> None:
    rig = Rig(place, {"slow": {"seconds": 30}, "next": {}})
    rig.plan = {
        "steps": [
            {"kind": "load", "name": "slow", "profile": "slow.yaml", "time_limit_s": 0.3},
            {"kind": "load", "name": "next", "profile": "next.yaml"},
        ]
    }

    document = rig.run()

    slow, following = document.steps
    assert (slow.verdict, slow.exit_code, following.verdict) == ("timed out", 1, "pass")
    assert "had not ended after 0.3" in slow.errors[0]
    assert recorded(place)[-1] == ("slow", "night", False)
    assert rig.judged[-1][0][0].invalid_reasons == ["timed out"]


def test_no_step_begins_above_the_most_that_a_night_may_cost(place: Path) -> None:
    rig = Rig(place, {"a": {"usd": 0.6}, "b": {"usd": 0.6}, "c": {}, "d": {}})
    rig.plan = {"max_usd": 1.0}
    rig.suspects = [suspect("a")]

    document = rig.run()

    assert [(step.verdict, step.exit_code) for step in document.steps] == [
        ("pass", 0), ("pass", 0), ("refused", 6), ("refused", 6),
    ]  # fmt: skip
    assert document.steps[2].errors == [
        "it was not begun: $1.20 are spent of at most $1.00 (max_usd)"
    ]
    assert document.notes == [
        "a: confirmed with 0 of 2 reruns only: $1.20 are spent of at most $1.00 (max_usd)"
    ]
    assert len(rig.ran) == 2


def test_what_a_crashed_run_cost_is_not_known_and_said(place: Path) -> None:
    rig = Rig(place, {"a": {"crash": True}, "b": {"refuse": "no"}, "c": {}})
    rig.plan = {"max_usd": 1.0}

    assert rig.run().notes == ["a: what it cost is not known; max_usd counts it as nothing"]


def test_suspects_are_confirmed_in_turns(place: Path) -> None:
    rig = Rig(place, {"a": {}, "b": {}}, suspects=[suspect("a", runs=2), suspect("b", runs=1)])

    rig.run()

    assert [line.split()[0] for line in rig.ran] == ["a", "b", "a", "b", "a"]
    tonight, confirmations = rig.judged[-1]
    assert [(record.step, record.purpose) for record in confirmations] == [
        ("a", "rerun"), ("b", "rerun"), ("a", "rerun"),
    ]  # fmt: skip
    assert len(tonight) == 2


def test_versions_are_compared_in_balanced_pairs_with_the_same_arrivals(place: Path) -> None:
    rig = Rig(place, {"a": {}}, suspects=[suspect("a", "pairs", 2)])

    rig.run()

    night, *pairs = [line.split() for line in rig.ran]
    assert night[1:3] == ["night", "None"]
    assert [role for _, role, _, _ in pairs] == ["baseline", "candidate", "candidate", "baseline"]
    seeds = [seed for _, _, seed, _ in pairs]
    assert seeds[0] == seeds[1] != seeds[2] == seeds[3]


def test_pairs_are_balanced_and_seeds_drawn_from_the_night() -> None:
    turns = [list(purposes_of("pairs", turn)) for turn in range(3)]

    assert turns == [
        ["baseline", "candidate"],
        ["candidate", "baseline"],
        ["baseline", "candidate"],
    ]
    assert pair_seed("n", "a", 0) == pair_seed("n", "a", 0) != pair_seed("n", "a", 1)
    assert 0 <= pair_seed("n", "a", 0) < 2**31


@pytest.mark.parametrize(
    ("run_s", "usd", "left", "pairs_only", "expected"),
    [
        (600.0, 0.0, Left(3600.0), False, ("rerun", 2)),
        (450.0, 0.0, Left(3600.0), False, ("pairs", 8)),
        (600.0, 0.0, Left(3600.0), True, ("rerun", 0)),
        (10.0, 0.3, Left(3600.0, 2.0), False, ("rerun", 2)),
        (10.0, 0.25, Left(3600.0, 2.0), False, ("pairs", 8)),  # the eighth begins at 1.75
        (0.0, 0.0, Left(3600.0), False, ("pairs", 8)),
    ],
    ids=["no time", "just in time", "common", "no money", "just paid", "not known"],
)
def test_pairs_that_are_too_few_to_tell_are_not_begun(
    run_s: float, usd: float, left: Left, *, pairs_only: bool, expected: tuple[str, int]
) -> None:
    asked = [suspect("a", "pairs", 8, pairs_only=pairs_only)]

    (further,) = further_runs(asked, [RunOfStep(run_s, usd)], left, 2)

    assert (further.how, further.runs) == expected
    assert bool(further.why) == (expected[0] == "rerun")


def test_steps_share_the_time_and_the_longest_gives_way() -> None:
    asked = [suspect("a", "pairs", 8), suspect("b", "pairs", 8), suspect("c", runs=2)]
    runs = [RunOfStep(100.0), RunOfStep(400.0), RunOfStep(10.0)]

    found = further_runs(asked, runs, Left(3600.0), 3)

    assert [(one.step, one.how, one.runs) for one in found] == [
        ("a", "pairs", 8), ("b", "rerun", 3), ("c", "rerun", 2),
    ]  # fmt: skip
    assert found[1].why.replace("\N{NO-BREAK SPACE}", " ") == (
        "b: fewer than 4 pairs fit into the 1 h of gates.confirm.time_limit, at 6 min 40 s a run, "
        "and so few tell nothing: 3 plain reruns instead"
    )
    # After an interruption the pairs that were made count.
    made = [RunOfStep(100.0), RunOfStep(400.0, pairs_made=1), RunOfStep(10.0)]
    assert further_runs(asked, made, Left(3600.0), 3)[1] == Further("b", "pairs", 8)


def test_plain_reruns_take_the_place_of_pairs_that_do_not_fit(place: Path) -> None:
    rig = Rig(place, {"a": {"usd": 0.3}}, suspects=[suspect("a", "pairs", 8)])
    rig.plan = {"max_usd": 1.5}

    document = rig.run()

    assert [line.split()[1] for line in rig.ran] == ["night", "night", "night"]
    assert [run.purpose for run in document.steps[0].runs] == ["night", "rerun", "rerun"]
    assert document.notes == [
        (
            "a: fewer than 4 pairs fit into the $1.20 that are left of max_usd, at $0.30 a run, "
            "and so few tell nothing: 2 plain reruns instead"
        )
    ]


def test_no_pair_begins_whose_second_run_is_not_paid(place: Path) -> None:
    rig = Rig(place, {"a": {"usd": 0.125}, "a/baseline": {"usd": 0.125}})
    rig.suspects = [suspect("a", "pairs", 5)]
    rig.plan = {"max_usd": 1.25}

    document = rig.run()

    assert len(rig.ran) == 9
    assert document.spent_usd == pytest.approx(1.125)
    assert document.notes == [
        (
            "a: confirmed with 4 of 5 pairs only: $1.12 are spent of at most $1.25 (max_usd), and "
            "a pair takes $0.12 before its last run"
        )
    ]


def test_a_baseline_that_is_not_there_gives_way_to_plain_reruns(place: Path) -> None:
    rig = Rig(place, {"a": {}, "a/baseline": {"refuse": "alias before: not found"}})
    rig.suspects = [suspect("a", "pairs", 8)]

    document = rig.run()

    purposes = [run.purpose for run in document.steps[0].runs]
    assert purposes == ["night", "baseline", "rerun", "rerun"]
    assert document.notes[-1] == (
        "a: its baseline cannot be measured: alias before: not found; 2 plain reruns instead"
    )


def test_a_pair_that_lost_a_run_does_not_shift_the_others(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(place, {"a": {}}, suspects=[suspect("a", "pairs", 3)])
    verdicts, command = iter(["invalid", "pass", "pass", "pass"]), rig.command

    def first_is_invalid(step: Step, *, baseline: bool, **how: Any) -> list[str]:
        rig.steps["a/baseline"] = {"verdict": next(verdicts)} if baseline else {}
        return command(step, baseline=baseline, **how)

    monkeypatch.setattr(rig, "command", first_is_invalid)
    rig.run()

    _, confirmations = rig.judged[-1]
    assert [line.split()[1] for line in rig.ran[1:]] == [
        "baseline", "candidate", "candidate", "baseline", "baseline", "candidate", "candidate",
        "baseline",
    ]  # fmt: skip
    assert [record.purpose for record in confirmations] == [
        "candidate", "baseline", "baseline", "candidate", "candidate", "baseline",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("runs", "lost", "turns"), [(4, 0, 4), (4, 1, 5), (4, 2, 6), (4, 3, 4), (8, 2, 8), (8, 5, 8)]
)
def test_lost_pairs_are_made_up_for_where_the_others_are_too_few(
    runs: int, lost: int, turns: int
) -> None:
    assert turns_of("pairs", runs, lost) == turns
    assert most_runs("pairs", runs) == (12 if runs == 4 else 16)
    assert (turns_of("rerun", runs, lost), most_runs("rerun", runs)) == (runs, runs)


def test_confirming_ends_when_its_time_would_not_do_for_another_run(place: Path) -> None:
    times = iter([0.0, 0.0, 0.0, 599.999, 599.999])
    rig = Rig(place, {"a": {}}, suspects=[suspect("a", runs=9)], clock=lambda: next(times))
    rig.plan = {"gates": {"confirm": {"time_limit_s": 600}}}

    document = rig.run()

    assert len(rig.ran) == 2
    assert document.notes[0].startswith("a: confirmed with 1 of 9 reruns only: another rerun takes")
    assert "left of gates.confirm.time_limit" in document.notes[0]


def test_a_stop_ends_the_step_under_way_and_keeps_what_there_is(place: Path) -> None:
    began = place / "began"
    rig = Rig(place, {"a": {}, "b": {"seconds": 30, "began": str(began)}, "c": {}})

    def stop() -> None:
        wait_for(began)
        rig.stop.request(ExitCode.TERMINATED)

    thread = threading.Thread(target=stop)
    thread.start()
    document = rig.run()
    thread.join()

    assert [(step.verdict, step.exit_code) for step in document.steps] == [
        ("pass", 0), ("interrupted", 143), ("not begun", 143),
    ]  # fmt: skip
    assert (document.verdict, document.exit_code) == ("interrupted", 143)
    assert recorded(place) == [("a", "night", True), ("b", "night", False)]
    assert read_journal(rig.night / "night.json").state == "interrupted"

    # The clock is put back meanwhile: what ended later counts all the same.
    again = Rig(place, {"a": {}, "b": {}, "c": {}}, now=NOW - timedelta(hours=1))
    resumed = again.run()

    assert again.night == rig.night
    assert [line.split()[0] for line in rig.ran] == ["a", "b", "b", "c"]
    assert [step.verdict for step in resumed.steps] == ["pass", "pass", "pass"]
    assert resumed.exit_code == 0
    assert "it was interrupted, and went on" in resumed.notes[0]
    assert "before this night began" in resumed.notes[1]
    assert [record.verdict for record in again.judged[-1][0]] == ["pass", "pass", "pass"]
    nights = open_history(str(place / "history")).load("shop").nights
    assert [(night.verdict, night.sequence) for night in nights] == [("pass", 1)]
    assert document.provenance.finished_utc < resumed.provenance.finished_utc


def test_a_night_that_is_killed_goes_on_and_none_begins_beside_it(place: Path) -> None:
    began = place / "began"
    slow = f'{{"seconds": 30, "began": "{began}"}}'
    said = f'{{"steps": {{"a": {{}}, "b": {slow}, "c": {{}}}}}}'
    command = [sys.executable, "-P", "-m", "tests.reports.night_rig", str(place), said]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    night = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)
    child = wait_for(began)
    steps: dict[str, dict[str, object]] = {"a": {}, "b": {}, "c": {}}

    with pytest.raises(Refused, match=f"another night of this plan runs: process {night.pid} "):
        Rig(place, steps).run()
    # Of another user, with locks of its own: it begins a night beside, and none goes on.
    beside = Rig(place, {"a": {"refuse": "no"}}, state="other")
    assert [step.name for step in beside.run().steps] == ["a"]
    assert beside.document().sequence == 2
    night.send_signal(signal.SIGKILL)
    night.wait()
    rig = Rig(place, steps)
    document = rig.run()

    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert [line.split()[0] for line in rig.ran] == ["a", "b", "b", "c"]
    assert rig.ran[1] == "b night None interrupted"
    assert [step.verdict for step in document.steps] == ["pass", "pass", "pass"]
    assert [run.verdict for run in document.steps[1].runs] == ["interrupted", "pass"]
    assert document.spent_usd == pytest.approx(0.04)
    assert recorded(place) == [
        ("a", "night", True), ("b", "night", False), ("b", "night", True), ("c", "night", True),
    ]  # fmt: skip


RESTORE = """
import json, sys
from pathlib import Path
log = Path({log!r})
log.open("a").write(" ".join(sys.argv[1:]) + "\\n")
opened = {opened!r} if "--list" in sys.argv else []
print(json.dumps({{"open": opened, "exit_code": {code}}}))
"""


def restoring(place: Path, code: int = 0, **entry: object) -> PutBack:
    """`tune restore` that knows of one killed run."""
    left = {
        "function_arn": "arn:aws:lambda:eu-west-1:1:function:a-function",
        "running": False,
        "host": socket.gethostname(),
        **entry,
    }
    script = RESTORE.format(log=str(place / "restored"), opened=[left], code=code)
    return PutBack(lambda arguments: [sys.executable, "-I", "-S", "-c", script, *arguments])


def left_open(place: Path, **changes: object) -> Rig:
    """A night that was interrupted in its only step."""
    rig = Rig(place, {"a": {}})
    rig.stop.request()
    rig.run()
    path = rig.night / "night.json"
    journal = read_journal(path).model_copy(update=changes)
    path.write_text(journal.model_dump_json())
    return rig


def test_a_night_that_does_not_go_on_says_why(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = left_open(place)

    rig = Rig(place, {"a": {"refuse": "no"}}, commit="2" * 40)
    rig.run()

    assert rig.night != before.night
    words = " ".join(capsys.readouterr().err.split())
    assert "was interrupted and does not go on: the commit changed since" in words
    assert read_journal(before.night / "night.json").state == "given up"
    assert rig.document().sequence == 2


ASKED = {"the plan": "1", "the commit": "2", "the settings": ""}


@pytest.mark.parametrize(
    ("asked", "hours", "reason"),
    [
        (ASKED, 11.9, None),
        (ASKED, -3, None),  # the clock was put back
        (ASKED, 12.1, "it began more than 12 h ago"),
        (ASKED, -400, "it began more than 12 h ago"),
        ({**ASKED, "the plan": "9"}, 1, "the plan changed since"),
        (
            {"the plan": "9", "the commit": "9", "the settings": "9"},
            1,
            "the plan, the commit and the settings changed since",
        ),
    ],
)
def test_only_the_same_night_goes_on(
    asked: dict[str, str], hours: float, reason: str | None
) -> None:
    journal = NightJournal(
        plan="shop", history="h", asked=ASKED, night_id="n", sequence=1, night="2026-11-27",
        branch=None, git_commit=None, environment=None, started_utc=NOW.isoformat(), host="here",
        pid=1,
    )  # fmt: skip

    assert why_not_resumed(journal, asked, NOW + timedelta(hours=hours)) == reason


def test_a_night_of_another_machine_may_live_and_is_left_alone(place: Path) -> None:
    before = left_open(place, host="elsewhere")

    rig = Rig(place, {"a": {"refuse": "no"}})
    rig.run()

    assert rig.night != before.night
    assert read_journal(before.night / "night.json").state == "interrupted"


def test_a_tuning_that_cannot_be_put_back_is_an_error_of_its_step(place: Path) -> None:
    put_back = restoring(place, code=1)
    rig = Rig(place, {"a": {"crash": True}}, kinds={"a": "tune"}, put_back=put_back)

    document = rig.run()

    assert document.steps[0].errors[-1].startswith("could not put a-function back")
    assert document.notes == document.steps[0].errors[-1:]


def test_a_disk_that_is_full_ends_the_night_and_not_as_a_mistake_of_the_plan(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: object) -> None:
        raise InputError(f"could not write {path}: No space left on device")

    rig = Rig(place, {"a": {}})
    monkeypatch.setattr("reports.nightly.account.write_atomically", refuse)

    with pytest.raises(ToolError, match="the night is not finished: could not write") as raised:
        rig.run()

    assert raised.value.exit_code is ExitCode.ERROR
    assert recorded(place) == [("a", "night", True)]


def test_a_damaged_journal_is_told_and_left_out(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = left_open(place)
    (before.night / "night.json").write_text('{"schema_version": 1')

    rig = Rig(place, {"a": {"refuse": "no"}})
    rig.run()

    assert rig.night != before.night
    assert "night.json: invalid JSON" in " ".join(capsys.readouterr().err.split())


def test_a_clock_that_was_put_back_is_a_note_and_no_disorder(place: Path) -> None:
    Rig(place, {"a": {"refuse": "no"}}).run()

    rig = Rig(place, {"a": {"refuse": "no"}}, now=NOW - timedelta(days=400))
    document = rig.run()

    assert document.sequence == 2
    (note,) = document.notes
    assert note == (
        "the clock says 2025-10-23 03:00:00 UTC, before the night before began (2026-11-27 "
        "03:00:00 UTC): nights are ordered by their numbers"
    )


def test_a_history_that_takes_nothing_is_an_error_and_the_next_night_sends(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: History, name: str, data: bytes) -> str:
        if "unsent" in self.place:
            return take(self, name, data)
        raise ToolError(f"the bucket of {name} is away")

    take = History.append_bytes
    with monkeypatch.context() as patch:
        patch.setattr(History, "append_bytes", refuse)
        document = Rig(place, {"a": {}}).run()

    assert (document.verdict, document.exit_code) == ("error", 1)
    (error,) = document.errors  # not one for each record
    assert error.startswith("the history does not have all of this night: the bucket of runs/")
    assert recorded(place) == []

    following = Rig(place, {"a": {}}, now=NOW + timedelta(days=1))
    assert following.run().exit_code == 0
    assert following.begun is not None
    assert [night.sequence for night in following.begun.past.nights] == [1]
    assert recorded(place) == [("a", "night", True)] * 2


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [("pass", ("error", 1)), ("failed", ("error", 3))],
    ids=["passed", "failed"],
)
def test_an_export_that_cannot_be_written_hides_no_regression(
    place: Path, verdict: str, expected: tuple[str, int]
) -> None:
    def export(document: object) -> None:
        raise InputError("could not write /full/report.html: No space left on device")

    rig = Rig(place, {"a": {"verdict": verdict}}, export=export)
    document = rig.run()

    assert (document.verdict, document.exit_code) == expected
    assert "No space left" in rig.document().errors[0]
    nights = open_history(str(place / "history")).load("shop").nights
    assert [(night.verdict, night.exit_code) for night in nights] == [expected]
    assert rig.told[0][0].errors == document.errors  # nobody is told that it passed


def test_the_nights_before_are_what_messages_are_compared_with(place: Path) -> None:
    Rig(place, {"a": {"refuse": "no"}}).run()
    left_open(place)

    rig = Rig(place, {"a": {"refuse": "no"}}, options={"fresh": True})
    rig.run()

    assert [night.sequence for night in rig.told[0][1]] == [1]  # the interrupted one says nothing


def test_who_was_not_told_is_in_the_record(place: Path) -> None:
    exported: list[list[str]] = []
    rig = Rig(
        place,
        {"a": {}},
        untold=["notify[0] (slack)"],
        export=lambda document: exported.append(document.notes),
    )
    rig.run()

    [night] = open_history(str(place / "history")).load("shop").nights
    assert night.untold == ["notify[0] (slack)"]
    assert night.notes == ["notify[0] (slack): not told"]
    assert exported == [[], night.notes]  # before people follow the link, and as it ended


def test_a_tuning_that_came_to_nothing_is_put_back(place: Path) -> None:
    rig = Rig(place, {"a": {"crash": True}}, kinds={"a": "tune"}, put_back=restoring(place))

    document = rig.run()

    listed, restored = (place / "restored").read_text().splitlines()
    arn = "arn:aws:lambda:eu-west-1:1:function:a-function"
    assert listed == "--list --json -q"
    assert restored == f"{arn} --region eu-west-1 --yes --json -q"
    assert document.notes == ["a-function is back as it was before a tuning of it was killed"]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"code": 1}, "could not put a-function back as it was before a killed tuning"),
        ({"running": True}, None),
        ({"host": "elsewhere"}, None),
        ({"function_arn": "arn:aws:lambda:eu-west-1:1:function:other"}, None),
    ],
    ids=["refused", "still works", "elsewhere", "another function"],
)
def test_only_what_a_killed_run_of_this_machine_left_is_put_back(
    place: Path, entry: dict[str, object], told: str | None
) -> None:
    folder = NightFolder(place)
    folder.steps.mkdir()

    answer = restoring(place, **entry).function("a-function:live", folder)  # type: ignore[arg-type]

    if told is None:
        assert answer is None
    else:
        assert answer is not None
        assert not answer.done
        assert answer.words.startswith(told)
    assert len((place / "restored").read_text().splitlines()) == (1 if told is None else 2)


@pytest.mark.parametrize(
    "function",
    [
        "shop", "shop:live", "1:function:shop:7", "function:shop",
        "arn:aws:lambda:eu-west-1:1:function:shop", "arn:aws:lambda:eu-west-1:1:function:shop:live",
    ],
)  # fmt: skip
def test_functions_are_known_by_their_names(function: str) -> None:
    assert function_name(function) == "shop"
