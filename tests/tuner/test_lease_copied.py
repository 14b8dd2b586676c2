"""Runs that copy the settings of a version to `$LATEST`: everything is as before afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from core.errors import Refused, ToolError
from tests.tuner.copied_rig import (
    ACTS,
    OF_VERSION,
    OWN,
    SECRET,
    Act,
    Owned,
    begun,
    client_of,
    deploy_settings,
    function_with_a_version,
    publish,
    set_description,
    set_memory,
    set_timeout,
    state_of,
)
from tests.tuner.fake_runs import leftovers, tuned
from tests.tuner.lambda_fake import ARN, LambdaFake, Moment, Place
from tests.tuner.lease_rig import Killed
from tuner.marker import parse_marker, parse_version_marker
from tuner.open_journals import read_journals
from tuner.release import undo_run

SIZES = (128, 256)
CALLS, CHANGES = 60, 18


@pytest.fixture(autouse=True, scope="module")
def _no_power_cut() -> Iterator[None]:
    """Hundreds of journals need not reach the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: None)
        yield


def restored(fake: LambdaFake, folder: Path, *, by_marks: bool) -> list[str]:
    """What a restore keeps and is not sure of; it is repeated while it is killed."""
    said: list[str] = []
    for _ in range(10):
        try:
            for leftover in leftovers(fake, folder, by_marks=by_marks):
                begin, traces = leftover.beginning, leftover.traces
                undone = undo_run(client_of(fake), ARN, begin, lambda seconds: None, traces)
                said += [*undone.doubts, *filter(None, [leftover.doubt(undone.latest.target)])]
        except (Killed, ToolError):
            continue
        return said
    raise AssertionError("the restore never comes to an end")


def killed(fake: LambdaFake, owned: Owned) -> None:
    raise Killed


def happening(fake: LambdaFake, owned: Owned, plan: dict[tuple[Place, Moment], Act]) -> None:
    """What the plan says happens from now on, at calls that count from now on."""
    calls, changes = fake.numbers

    def between(place: Place, moment: Moment) -> None:
        kind, number = place
        act = plan.get(((kind, number - (calls if kind == "call" else changes)), moment))
        if act is not None:
            act(fake, owned)

    fake.between = between


def test_latest_has_the_settings_of_the_version_for_the_publishing_only(tmp_path: Path) -> None:
    fake, owned = function_with_a_version()
    lease = begun(fake, tmp_path)

    lease.publish([128, 512])

    assert replace(state_of(fake), versions=owned.versions) == owned
    for size, number in lease.versions.items():
        measured = fake.function.versions[number].settings
        assert (measured.memory_mb, measured.timeout_s) == (size, 30)
        assert (dict(measured.environment), measured.tracing_mode) == (OF_VERSION, "PassThrough")
    (keeping,) = set(fake.function.versions) - {"1", *lease.made}
    kept = fake.function.versions[keeping].settings
    assert (kept.memory_mb, kept.timeout_s, dict(kept.environment)) == (256, 60, OWN)
    marker = parse_version_marker(kept.description)
    assert marker is not None
    assert marker.kept_from == "1"

    lease.release()
    assert state_of(fake) == owned
    deleted = [call for call in fake.calls if call.operation == "DeleteFunction"]
    assert [call.parameters["Qualifier"] for call in deleted] == [*lease.made, keeping]


def test_no_secret_is_on_disk(tmp_path: Path) -> None:
    fake, _ = function_with_a_version()
    lease = begun(fake, tmp_path)
    lease.publish([128])

    assert SECRET not in lease.journal.path.read_text()
    assert SECRET not in repr((lease.planned, lease.copy))


def test_the_marks_say_whose_settings_latest_has(tmp_path: Path) -> None:
    fake, owned = function_with_a_version()
    lease = begun(fake, tmp_path)
    happening(fake, owned, {(("change", 2), "after"): killed})

    with pytest.raises(Killed):
        lease.publish([128])

    marker = parse_marker(fake.function.latest.settings.description)
    assert marker is not None
    assert (marker.size_mb, marker.settings_of) == (128, "1")


# A run and its release: the version that keeps, two sizes and one again, each put back, deletions.
KILLS = [(at, moment) for at in range(18) for moment in ("before", "after")]


@pytest.mark.parametrize("by_marks", [False, True], ids=["by the journal", "by the marks"])
@pytest.mark.parametrize(("at", "moment"), KILLS)
def test_a_run_killed_at_any_changing_call_is_undone(
    tmp_path: Path, at: int, moment: Moment, *, by_marks: bool
) -> None:
    fake, owned = function_with_a_version()
    lease = begun(fake, tmp_path)
    happening(fake, owned, {(("change", at), moment): killed})
    over = tuned(lease, SIZES)

    assert over == (at >= 15)
    fake.between = lambda place, moment: None
    assert over or restored(fake, tmp_path, by_marks=by_marks) == []
    assert state_of(fake) == owned


changes = st.tuples(st.just("change"), st.integers(0, CHANGES))
places = st.one_of(changes, changes, st.tuples(st.just("call"), st.integers(0, CALLS)))
moments = st.tuples(places, st.sampled_from(["before", "after"]))
plans = st.dictionaries(moments, st.sampled_from((*ACTS, *[killed] * 5)), min_size=1, max_size=4)


@settings(max_examples=200)
# Killed after the last of its deletions, when all was as before already.
@example(
    plan={(("change", 6), "after"): killed, (("call", 11), "after"): set_memory},
    lost=frozenset(),
    by_marks=False,
    reads=0,
)
@given(
    plan=plans,
    lost=st.frozensets(st.integers(0, CHANGES), max_size=2),
    by_marks=st.booleans(),
    reads=st.integers(0, 3),
)
def test_whatever_comes_between_only_what_the_run_set_is_put_back(
    *,
    plan: dict[tuple[Place, Moment], Act],
    lost: frozenset[int],
    by_marks: bool,
    reads: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    fake, owned = function_with_a_version(reads)
    folder = tmp_path_factory.mktemp("journals")
    lease = begun(fake, folder)
    happening(fake, owned, plan)
    fake.carried_out_twice = lost
    survived = tuned(lease, SIZES)
    says_so = survived and bool(read_journals(folder).open)
    said = restored(fake, folder, by_marks=by_marks) if not survived or says_so else []
    event(f"{'survived' if survived else 'killed'}, by {'marks' if by_marks else 'journal'}")

    after = state_of(fake)
    if after == owned:
        return
    # Where the mark was overwritten, whose a size or a setting is may not be known: it is kept and
    # said, and so is the version that tells what was there before.
    assert owned.mark_replaced
    assert said or by_marks
    event("something in doubt was kept")
    assert (after.description, after.code) == (owned.description, owned.code)
    assert after.versions.items() >= owned.versions.items()
    if (after.timeout_s, after.variables, after.tracing) != (
        owned.timeout_s,
        owned.variables,
        owned.tracing,
    ):
        assert set(after.versions) > set(owned.versions)


@pytest.mark.parametrize("by_marks", [False, True], ids=["by the journal", "by the marks"])
@pytest.mark.parametrize("deployed", [set_timeout, deploy_settings])
def test_what_somebody_sets_on_top_of_a_copy_stays(
    tmp_path: Path, deployed: Act, *, by_marks: bool
) -> None:
    fake, owned = function_with_a_version()
    lease = begun(fake, tmp_path)
    happening(
        fake,
        owned,
        {(("change", 3), "before"): deployed, (("call", 14), "before"): killed},
    )
    assert not tuned(lease, SIZES)
    fake.between = lambda place, moment: None

    (leftover,) = leftovers(fake, tmp_path, by_marks=by_marks)
    undone = undo_run(
        client_of(fake), ARN, leftover.beginning, lambda seconds: None, leftover.traces
    )

    assert state_of(fake) == owned
    assert undone.foreign is not None
    assert undone.foreign.startswith("timeout")


def test_a_deploy_in_the_middle_of_a_copy_ends_the_run(tmp_path: Path) -> None:
    fake, owned = function_with_a_version()
    lease = begun(fake, tmp_path)
    happening(fake, owned, {(("change", 3), "before"): set_timeout})

    with pytest.raises(Refused, match="changed by somebody else while its sizes were published"):
        lease.publish([128])
    lease.release()

    assert state_of(fake) == owned
    assert lease.doubts == []


def test_without_a_mark_and_a_journal_settings_in_doubt_are_kept_and_said(tmp_path: Path) -> None:
    fake, owned = function_with_a_version()
    lease = begun(fake, tmp_path)
    happening(
        fake,
        owned,
        {(("change", 3), "before"): set_description, (("change", 3), "after"): killed},
    )
    assert not tuned(lease, SIZES)
    fake.between = lambda place, moment: None

    (doubt, *_) = restored(fake, tmp_path, by_marks=True)

    assert doubt.startswith(
        "orders has timeout, tracing, environment variable MODE, environment variable TOKEN, "
    )
    keeping = set(fake.function.versions) - {"1"}
    assert len(keeping) == 1
    assert f"version {keeping.pop()} has what was there before and is kept as well" in doubt

    # The journal knows that the run has set them.
    assert restored(fake, tmp_path, by_marks=False) == []
    assert state_of(fake) == owned


def test_nothing_is_copied_where_only_memory_and_description_differ(tmp_path: Path) -> None:
    fake, owned = LambdaFake(), Owned(timeout_s=30, tracing="PassThrough", variables={})
    publish(fake, owned)
    fake.configure(MemorySize=512, Description="more of it")
    owned.memory_mb, owned.description = 512, "more of it"
    lease = begun(fake, tmp_path)

    lease.publish([128])

    assert lease.copy is None
    assert set(fake.function.versions) == {"1", *lease.made}
    lease.release()
    assert state_of(fake) == owned


def test_what_aws_would_not_take_back_is_found_before_it_is_replaced(tmp_path: Path) -> None:
    """A layer that was deleted, for example: functions that have it go on to run."""
    fake, owned = function_with_a_version()
    lease = begun(fake, tmp_path)
    refused: list[Any] = []

    def refuse(place: Place, moment: Moment) -> None:
        if place[0] == "change" and moment == "before" and not refused:
            refused.append(place)
            raise Refused("the layer does not exist")

    fake.between = refuse
    with pytest.raises(Refused, match="the layer does not exist"):
        lease.publish([128])
    fake.between = lambda place, moment: None
    update = fake.function.latest.settings

    assert (update.timeout_s, dict(update.environment)) == (60, OWN)
    lease.release()
    assert state_of(fake) == owned
