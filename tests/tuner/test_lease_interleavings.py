"""Whatever others do between any two calls of a run, only what the run changed is put back.

And whatever of it is killed, as often as that happens. Against the sandbox's Lambda API in this
process.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from core.errors import ToolError
from tests.tuner.fake_runs import leftovers, tuned
from tests.tuner.lambda_fake import ARN, NAME, LambdaFake, Moment, Place
from tests.tuner.lease_rig import Killed
from tuner.journal import Beginning, Journal
from tuner.lease import Lease
from tuner.open_journals import read_journals
from tuner.release import undo_run
from tuner.target import read_target
from tuner.versions import list_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

REGION = "us-east-1"
SIZES = (128, 512)
# About as many as a run and its restores make.
CALLS, CHANGES = 40, 14


@dataclass
class Owned:
    """What belongs to others: settings of `$LATEST`, and versions by number with their code."""

    memory_mb: int = 256
    description: str = "takes orders"
    timeout_s: int = 30
    code: str = "b3JkZXJz"
    versions: dict[str, str] = field(default_factory=dict)
    # Whether somebody has taken the run's mark away without setting a size.
    mark_replaced: bool = False


Act = Callable[[LambdaFake, Owned], None]


def set_memory(fake: LambdaFake, owned: Owned) -> None:
    fake.configure(MemorySize=777)
    owned.memory_mb = 777


def set_description(fake: LambdaFake, owned: Owned) -> None:
    fake.configure(Description="by terraform")
    owned.description, owned.mark_replaced = "by terraform", True


def set_both(fake: LambdaFake, owned: Owned) -> None:
    fake.configure(MemorySize=888, Description="by a stack")
    owned.memory_mb, owned.description = 888, "by a stack"


def set_timeout(fake: LambdaFake, owned: Owned) -> None:
    fake.configure(Timeout=31)
    owned.timeout_s = 31


def touch(fake: LambdaFake, owned: Owned) -> None:
    fake.configure()


def deploy(fake: LambdaFake, owned: Owned) -> None:
    fake.deploy("bmV3IGNvZGU=")
    owned.code = "bmV3IGNvZGU="


def publish(fake: LambdaFake, owned: Owned, **given: str) -> None:
    answer = fake.publish(**given)
    # Where nothing was changed since a version of the run, AWS gives that one.
    if not answer["Description"].startswith("tune-version"):
        owned.versions[answer["Version"]] = answer["CodeSha256"]


def publish_with_a_text(fake: LambdaFake, owned: Owned) -> None:
    publish(fake, owned, Description="release 7")


ACTS: tuple[Act, ...] = (
    set_memory,
    set_description,
    set_both,
    set_timeout,
    touch,
    deploy,
    publish,
    publish_with_a_text,
)


def killed(fake: LambdaFake, owned: Owned) -> None:
    raise Killed


@pytest.fixture(autouse=True, scope="module")
def _no_power_cut() -> Iterator[None]:
    """Hundreds of journals need not reach the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: None)
        yield


# By place and moment of a call, what happens there; most of it where the run changes something.
Plan = dict[tuple[Place, Moment], Act]
changes = st.tuples(st.just("change"), st.integers(0, CHANGES))
places = st.one_of(changes, changes, st.tuples(st.just("call"), st.integers(0, CALLS)))
moments = st.tuples(places, st.sampled_from(["before", "after"]))
plans = st.dictionaries(moments, st.sampled_from((*ACTS, *[killed] * 5)), min_size=1, max_size=4)


def begun(fake: LambdaFake, folder: Path) -> Lease:
    client = cast("LambdaClient", fake)
    target = read_target(client, NAME, REGION)
    beginning = Beginning(
        run_id="0123456789ab",
        function_arn=ARN,
        region=REGION,
        endpoint_url=None,
        memory_mb=target.memory_mb,
        description=target.description,
        code_sha256=target.code_sha256,
        existing_versions=tuple(list_versions(client, ARN)),
        pid=1,
        started_utc="2026-01-01T00:00:00+00:00",
    )
    return Lease(
        client, target, beginning, Journal(folder, beginning), lambda seconds: None, lambda: False
    )


def restored(fake: LambdaFake, folder: Path, *, by_marks: bool) -> list[str]:
    """What `tune restore` says that it keeps and is not sure of; it is repeated while killed."""
    said: list[str] = []
    for _ in range(10):
        try:
            for leftover in leftovers(fake, folder, by_marks=by_marks):
                begin = leftover.beginning
                undone = undo_run(
                    cast("LambdaClient", fake), ARN, begin, lambda seconds: None, leftover.traces
                )
                said += filter(None, [leftover.doubt(undone.latest.target)])
        except (Killed, ToolError):
            continue
        return said
    raise AssertionError("the restore never comes to an end")


@settings(max_examples=300)
@given(
    plan=plans,
    lost=st.frozensets(st.integers(0, CHANGES), max_size=2),
    at_once=st.booleans(),
    by_marks=st.booleans(),
    equals_latest=st.booleans(),
    reads=st.integers(0, 3),
)
def test_a_restore_puts_back_what_the_run_changed_and_nothing_else(
    *,
    plan: Plan,
    lost: frozenset[int],
    at_once: bool,
    by_marks: bool,
    equals_latest: bool,
    reads: int,
) -> None:
    fake, owned = LambdaFake(reads_until_settled=reads), Owned()
    publish(fake, owned)
    if not equals_latest:
        fake.configure(Description=owned.description, Timeout=owned.timeout_s)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lease = begun(fake, folder)
        happening(fake, owned, plan)
        fake.carried_out_twice = lost
        survived = tuned(lease, SIZES, at_once=at_once)
        # A run that could not undo all keeps its journal, and says that there is something to do.
        says_so = survived and bool(read_journals(folder).open)
        said = restored(fake, folder, by_marks=by_marks) if not survived or says_so else []
    event(
        f"{'survived' if survived else 'killed'}, restored by {'marks' if by_marks else 'journal'}"
    )

    latest = fake.function.latest
    assert latest.settings.description == owned.description
    assert latest.settings.timeout_s == owned.timeout_s
    assert latest.code.sha256 == owned.code
    if latest.settings.memory_mb != owned.memory_mb:
        # Where the mark was overwritten and the run killed, whose the size is may not be known.
        assert owned.mark_replaced
        assert not survived
        assert said or by_marks
        event("a size in doubt was kept")
    versions = {number: version.code.sha256 for number, version in fake.function.versions.items()}
    assert versions == owned.versions
    assert set(deletions(fake)) <= set(versions_of(fake))


def happening(fake: LambdaFake, owned: Owned, plan: Plan) -> None:
    """From now on, what the plan says happens; numbers count from the beginning of the fake."""

    def between(place: Place, moment: Moment) -> None:
        act = plan.get((place, moment))
        if act is not None:
            act(fake, owned)

    fake.between = between


def deletions(fake: LambdaFake) -> list[str]:
    """The qualifiers of all calls of DeleteFunction."""
    calls = [call for call in fake.calls if call.operation == "DeleteFunction"]
    assert all(call.parameters["FunctionName"] == ARN for call in calls)
    return [call.parameters["Qualifier"] for call in calls]


def versions_of(fake: LambdaFake) -> list[str]:
    """The numbers of the versions that the run has published."""
    return [
        call.answer["Version"]
        for call in fake.calls
        if call.operation == "PublishVersion"
        and call.answer
        and call.answer["Description"] == call.parameters["Description"]
    ]


def test_a_version_that_somebody_publishes_at_a_test_size_is_kept_and_named() -> None:
    fake, owned = LambdaFake(), Owned()
    with tempfile.TemporaryDirectory() as name:
        lease = begun(fake, Path(name))
        happening(fake, owned, {(("change", 1), "before"): publish})
        with pytest.raises(ToolError, match=r"gave version 1 .*which this run did not make"):
            lease.publish([512])
        met = lease.release()
        lease.journal.close()

    assert met == ("1",)
    assert list(fake.function.versions) == ["1"]
    assert deletions(fake) == []


@pytest.mark.parametrize("by_marks", [False, True], ids=["by the journal", "by the marks"])
def test_a_test_size_without_its_mark_is_put_back_where_the_journal_knows_it(
    *, by_marks: bool
) -> None:
    fake, owned = LambdaFake(), Owned()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lease = begun(fake, folder)
        happening(
            fake,
            owned,
            {(("change", 2), "before"): set_description, (("change", 2), "after"): killed},
        )
        assert not tuned(lease, SIZES, at_once=True)
        said = restored(fake, folder, by_marks=by_marks)

    latest = fake.function.latest.settings
    assert latest.description == "by terraform"
    assert latest.memory_mb == (128 if by_marks else 256)
    assert [text.partition(", ")[0] for text in said] == (["orders has 128 MB"] if by_marks else [])


def test_a_version_of_a_function_that_was_made_anew_is_not_deleted() -> None:
    """Its numbers begin at 1 again, and then are those of the run by chance."""
    fake, owned = LambdaFake(), Owned()
    with tempfile.TemporaryDirectory() as name:
        lease = begun(fake, Path(name))
        lease.publish([512])
        fake.recreate()
        publish(fake, owned)

        lease.discard("1")
        lease.release()
        lease.journal.close()

    assert lease.made == ["1"]
    assert fake.function.versions["1"].settings.description == "takes orders"
    assert deletions(fake) == []


def test_a_release_of_a_run_that_changed_nothing_asks_nothing() -> None:
    fake = LambdaFake()
    with tempfile.TemporaryDirectory() as name:
        lease = begun(fake, Path(name))
        before: list[Any] = list(fake.calls)
        assert lease.release() == ()
        lease.journal.close()

    assert fake.calls == before
