"""`tune restore`: what killed runs left is undone, and what cannot be is kept and said."""

from __future__ import annotations

import fcntl
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.session import LocalAccess
from core.console import Console
from core.errors import ExitCode, FunctionNotFound, InputError, Refused
from tests.conftest import MakeFunction
from tests.tuner.lease_rig import (
    REGION,
    SIZES,
    Killed,
    begin,
    end_of_processes,
    killing,
    open_journals,
    restored,
    state_of,
    whole_run,
)
from tuner.journal import state_folder
from tuner.lease import Lease
from tuner.restore import RestoreOptions, restore
from tuner.restore_offer import offer_restore, warn_of_leftovers
from tuner.target import read_target

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_lambda import LambdaClient

ALL = RestoreOptions(profile=None, list_only=False, forget=None, yes=True)
QUIET = Console(verbosity=-1)


@pytest.fixture
def shell(local_access: LocalAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings that `sandbox up` prints, in the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_access.endpoint_url)
    monkeypatch.setenv("AWS_REGION", local_access.region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", local_access.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", local_access.secret_access_key)


def killed_run(
    client: LambdaClient, name: str, access: LocalAccess, *, at: int, journal: bool = True
) -> Lease:
    """A run that was killed before its changing call number `at`, with or without its journal."""
    lease = begin(client, name, access)
    with killing(client, at, moment="before-call"), pytest.raises(Killed):
        whole_run(lease)
    end_of_processes()
    if not journal:
        lease.journal.path.unlink()
    return lease


def on(name: str, **changed: Any) -> RestoreOptions:
    """`tune restore NAME --yes`, unless `changed` says otherwise."""
    return replace(ALL, function=name, **changed)


def damaged_journal(name: str = "damaged.ndjson") -> Path:
    state_folder().mkdir(parents=True, exist_ok=True)
    path = state_folder() / name
    path.write_text("damaged\n{}\n")
    return path


def test_a_function_that_is_not_found_keeps_its_journal(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lease = killed_run(client, owned, local_access, at=3)
    (journal,) = open_journals()
    text = journal.path.read_text().replace(f":{owned}", ":somewhere-else")
    journal.path.write_text(text)

    assert restored(local_access, monkeypatch) == ExitCode.INPUT

    shown = capsys.readouterr().err.replace("\n", " ")
    assert "somewhere-else: not found" in shown
    assert f"tune restore --forget {lease.beginning.run_id}" in shown
    assert len(open_journals()) == 1
    lease.release()


@pytest.mark.usefixtures("shell")
def test_a_run_on_aws_is_not_looked_for_at_another_endpoint(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lease = killed_run(client, owned, local_access, at=3)
    (journal,) = open_journals()
    first, _, rest = journal.path.read_text().partition("\n")
    journal.path.write_text(json.dumps({**json.loads(first), "endpoint_url": None}) + "\n" + rest)
    held = state_of(client, owned)

    assert restore(ALL, QUIET) == ExitCode.REFUSED

    assert f"is on AWS, but the settings lead to {local_access.endpoint_url}" in (
        capsys.readouterr().err.replace("\n", " ")
    )
    assert len(open_journals()) == 1
    assert state_of(client, owned) == held
    lease.release()


def test_a_password_in_the_endpoint_is_in_no_journal_and_does_not_keep_a_restore(
    client: LambdaClient, owned: str, local_access: LocalAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state_of(client, owned)
    killed_run(client, owned, local_access, at=3)
    with_password = local_access.endpoint_url.replace("://", "://me:secret@")
    monkeypatch.setenv("AWS_ENDPOINT_URL", with_password)

    assert restored(local_access, monkeypatch) == ExitCode.PASS
    assert state_of(client, owned) == before


def test_a_function_out_of_reach_is_one_error_document_and_keeps_its_journal(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    begin(client, owned, replace(local_access, endpoint_url="http://127.0.0.1:9"))
    end_of_processes()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")

    code = restore(ALL, Console(verbosity=-1, json_output=True))

    document = json.loads(capsys.readouterr().out)
    assert (code, document["exit_code"], document["verdict"]) == (1, 1, "error")
    assert "127.0.0.1:9" in document["errors"][0]
    assert len(open_journals()) == 1


def test_a_run_that_still_works_is_left_alone(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lease = begin(client, owned, local_access)
    lease.publish(SIZES)
    held = state_of(client, owned)

    assert restore(ALL, Console()) == ExitCode.PASS

    shown = capsys.readouterr().err
    assert "still works" in shown
    assert "nothing to restore" in shown
    assert state_of(client, owned) == held
    with pytest.raises(Refused, match="still works"):
        restore(replace(ALL, forget=lease.beginning.run_id), QUIET)
    lease.release()


@pytest.mark.usefixtures("shell")
def test_a_run_that_still_works_is_left_alone_by_whatever_name_its_endpoint_goes(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lease = begin(client, owned, local_access)
    lease.publish(SIZES)
    held = state_of(client, owned)
    other_name = local_access.endpoint_url.replace("127.0.0.1", "localhost")
    monkeypatch.setenv("AWS_ENDPOINT_URL", other_name)

    assert restore(on(owned), Console()) == ExitCode.PASS

    assert "still works" in capsys.readouterr().err
    assert state_of(client, owned) == held
    lease.release()


def test_a_journal_from_another_machine_is_said_to_be(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    capsys: pytest.CaptureFixture[str],
) -> None:
    begin(client, owned, local_access)
    end_of_processes()
    (journal,) = open_journals()
    entry = {**json.loads(journal.path.read_text()), "host": "build-7"}
    journal.path.write_text(json.dumps(entry) + "\n")

    assert restore(replace(ALL, list_only=True), Console()) == ExitCode.PASS

    assert "started on host build-7: make sure that it does not work there" in (
        capsys.readouterr().err
    )


def test_a_damaged_journal_is_an_error_and_does_not_keep_the_others(
    client: LambdaClient, owned: str, local_access: LocalAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state_of(client, owned)
    killed_run(client, owned, local_access, at=3)
    damaged = damaged_journal("000000000000.ndjson")

    assert restored(local_access, monkeypatch) == ExitCode.INPUT

    assert state_of(client, owned) == before
    assert damaged.exists()


@pytest.mark.parametrize("name", ["damaged", "damaged.ndjson"])
def test_a_damaged_journal_can_be_forgotten_by_its_name(name: str) -> None:
    damaged = damaged_journal()

    assert restore(replace(ALL, forget=name), QUIET) == ExitCode.PASS
    assert not damaged.exists()


def test_an_empty_journal_is_removed_without_a_question() -> None:
    empty = damaged_journal("empty.ndjson")
    empty.write_text("")

    assert restore(replace(ALL, list_only=True), QUIET) == ExitCode.PASS
    assert empty.exists()
    assert restore(replace(ALL, yes=False), QUIET) == ExitCode.PASS
    assert not empty.exists()


def test_a_journal_that_never_got_its_name_is_removed_unless_its_run_lives() -> None:
    state_folder().mkdir(parents=True)
    unfinished, alive = (state_folder() / f"{run}.new" for run in ("killed", "alive"))
    unfinished.write_text("{}")
    with alive.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert restore(ALL, QUIET) == ExitCode.PASS

    assert not unfinished.exists()
    assert alive.exists()


@pytest.mark.parametrize("name", ["", "nothing", "../tune/damaged", "*"])
def test_only_a_journal_can_be_forgotten(name: str) -> None:
    damaged = damaged_journal()

    with pytest.raises(InputError, match="--forget: expected the id of a run"):
        restore(replace(ALL, forget=name), QUIET)
    assert damaged.exists()


def test_the_next_run_is_warned_of_a_damaged_journal_and_of_a_killed_run(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lease = killed_run(client, owned, local_access, at=7)
    damaged_journal()
    target = read_target(client, owned, REGION)

    warn_of_leftovers(target, "http://elsewhere", Console())
    warn_of_leftovers(target, local_access.endpoint_url, Console())

    shown = capsys.readouterr().err
    assert shown.count("expected the facts of a run's beginning") == 2
    assert shown.count(f"run {lease.beginning.run_id} on {owned} was killed") == 1
    lease.release()


class Terminal(io.StringIO):
    """Somebody who answers questions."""

    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(
    ("answer", "is_put_back"),
    [
        pytest.param("y\n", True, id="yes"),
        pytest.param("n\n", False, id="no"),
        pytest.param("", False, id="end of input"),
    ],
)
def test_the_next_tuning_offers_to_put_back_what_a_killed_run_left(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    monkeypatch: pytest.MonkeyPatch,
    *,
    answer: str,
    is_put_back: bool,
) -> None:
    before = state_of(client, owned)
    lease = killed_run(client, owned, local_access, at=3)
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    endpoint = local_access.endpoint_url

    offer_restore(f"other-{owned}", REGION, endpoint, None, QUIET)
    offer_restore(owned, "eu-north-1", endpoint, None, QUIET)
    offer_restore(owned, REGION, None, None, QUIET)
    assert state_of(client, owned) != before
    offer_restore(lease.function, REGION, endpoint, None, QUIET)

    assert (state_of(client, owned) == before) is is_put_back
    lease.release()


@pytest.mark.usefixtures("shell")
def test_nobody_is_asked_where_nobody_can_answer(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    lease = killed_run(client, owned, local_access, at=3)
    left = state_of(client, owned)

    offer_restore(owned, REGION, local_access.endpoint_url, None, QUIET)

    assert state_of(client, owned) == left
    lease.release()


def test_a_missing_home_only_warns_the_next_run(
    client: LambdaClient,
    owned: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)

    warn_of_leftovers(read_target(client, owned, REGION), None, QUIET)

    assert "XDG_STATE_HOME" in capsys.readouterr().err


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("at", range(1, 9))
def test_a_run_without_a_journal_is_undone_by_its_marks(
    client: LambdaClient, owned: str, local_access: LocalAccess, at: int
) -> None:
    before = state_of(client, owned)
    killed_run(client, owned, local_access, at=at, journal=False)
    assert state_of(client, owned) != before

    assert restore(on(owned), QUIET) == ExitCode.PASS
    assert state_of(client, owned) == before


@pytest.mark.usefixtures("shell")
def test_marks_are_undone_after_a_confirmation_only(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lease = killed_run(client, owned, local_access, at=3, journal=False)
    held = state_of(client, owned)

    console = Console(json_output=True)
    assert restore(on(owned, list_only=True), console) == ExitCode.PASS
    with pytest.raises(Refused, match="--yes"):
        restore(on(owned, yes=False), QUIET)

    shown = capsys.readouterr()
    assert "has no journal here, so it was killed or works elsewhere" in shown.err
    assert json.loads(shown.out)["open"] == [
        {
            "run_id": lease.beginning.run_id,
            "function_arn": lease.beginning.function_arn,
            "memory_mb": 256,
            "running": None,
            "host": None,
        }
    ]
    assert state_of(client, owned) == held
    lease.release()


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(
    ("length", "lost"),
    [
        pytest.param(100, 0, id="fits"),
        # "tune-run 0123456789ab size=128 was=512 :: " has 42 characters.
        pytest.param(214, 0, id="fills what there is"),
        pytest.param(256, 42, id="cut"),
    ],
)
def test_a_description_that_may_be_cut_is_said_to_be(
    client: LambdaClient,
    make_function: MakeFunction,
    local_access: LocalAccess,
    capsys: pytest.CaptureFixture[str],
    length: int,
    lost: int,
) -> None:
    description = "".join(chr(ord("a") + i % 26) for i in range(length))
    name = make_function(memory_mb=512, description=description)
    killed_run(client, name, local_access, at=1, journal=False)

    assert restore(on(name), Console()) == ExitCode.PASS

    shown = capsys.readouterr().err
    assert ("may have been longer" in shown) == (length >= 214)
    latest = client.get_function_configuration(FunctionName=name)
    assert latest["Description"] == description[: length - lost]


@pytest.mark.usefixtures("shell")
def test_a_journal_gives_back_what_the_marks_have_cut(
    client: LambdaClient, make_function: MakeFunction, local_access: LocalAccess
) -> None:
    name = make_function(memory_mb=512, description="x" * 256)
    before = state_of(client, name)
    killed_run(client, name, local_access, at=3)

    assert restore(on(name), QUIET) == ExitCode.PASS

    assert state_of(client, name) == before
    assert open_journals() == ()


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("journal", [True, False], ids=["by the journal", "by the marks"])
def test_a_version_that_somebody_published_at_a_test_size_is_kept_and_named(
    client: LambdaClient,
    make_function: MakeFunction,
    local_access: LocalAccess,
    capsys: pytest.CaptureFixture[str],
    *,
    journal: bool,
) -> None:
    name = make_function(memory_mb=512, description="takes orders")
    before = state_of(client, name)
    killed_run(client, name, local_access, at=1, journal=journal)
    published = client.publish_version(FunctionName=name)
    assert published["Description"].startswith("tune-run")

    assert restore(on(name), QUIET) == ExitCode.PASS

    shown = capsys.readouterr().err.replace("\n", " ")
    assert f"version {published['Version']} was published by somebody else" in shown
    after = state_of(client, name)
    assert after["latest"] == before["latest"]
    assert list(after["versions"]) == [published["Version"]]
    # It is nobody's leftover either.
    assert restore(on(name, list_only=True), Console()) == ExitCode.PASS
    assert "nothing to restore" in capsys.readouterr().err


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(
    ("journal", "memory_mb"), [(True, 256), (False, 512)], ids=["by the journal", "by the marks"]
)
def test_a_test_size_whose_mark_somebody_replaced_is_put_back_or_named(
    client: LambdaClient,
    owned: str,
    local_access: LocalAccess,
    capsys: pytest.CaptureFixture[str],
    *,
    journal: bool,
    memory_mb: int,
) -> None:
    killed_run(client, owned, local_access, at=4, journal=journal)  # at 512 MB, after 128
    client.update_function_configuration(FunctionName=owned, Description="by terraform")

    assert restore(on(owned), QUIET) == ExitCode.PASS

    latest = client.get_function_configuration(FunctionName=owned)
    assert (latest["MemorySize"], latest["Description"]) == (memory_mb, "by terraform")
    shown = capsys.readouterr().err.replace("\n", " ")
    assert ("before the run it had 256 MB" in shown) == (not journal)


@pytest.mark.usefixtures("shell")
def test_two_runs_that_left_marks_are_both_undone(
    client: LambdaClient, owned: str, local_access: LocalAccess
) -> None:
    before = state_of(client, owned)
    killed_run(client, owned, local_access, at=7, journal=False)  # with versions only
    killed_run(client, owned, local_access, at=3, journal=False)

    assert restore(on(owned), QUIET) == ExitCode.PASS
    assert state_of(client, owned) == before


@pytest.mark.usefixtures("shell")
def test_a_function_without_marks_stays_as_it_is(
    client: LambdaClient,
    owned: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    revision = client.get_function_configuration(FunctionName=owned)["RevisionId"]
    damaged_journal()  # which says nothing of this function

    assert restore(on(owned), Console()) == ExitCode.PASS

    assert "nothing to restore" in capsys.readouterr().err
    assert client.get_function_configuration(FunctionName=owned)["RevisionId"] == revision


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        pytest.param(on("absent"), FunctionNotFound, "'absent': not found", id="no function"),
        pytest.param(on("f:live"), InputError, "without a version or alias", id="alias"),
        pytest.param(on("f", forget="x"), InputError, "--forget: .*without FUNCTION", id="forget"),
        pytest.param(
            replace(ALL, region="eu-west-1"), InputError, "--region: .*with FUNCTION", id="region"
        ),
    ],
)
def test_options_that_make_no_sense_are_named(
    options: RestoreOptions, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        restore(options, QUIET)
