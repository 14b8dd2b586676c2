"""What survives a restart with --state, and what is left behind without."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from sandbox import state_dir
from sandbox.background import BackgroundSandbox
from sandbox.execution.executor import LocalExecutor
from sandbox.lambda_api.context import LambdaOptions
from sandbox.lambda_api.records import Code, Function, Settings, Version
from sandbox.lambda_api.store import FunctionStore
from sandbox.removal import make_read_only, remove_tree
from sandbox.server import SandboxOptions
from sandbox.state_dir import StateDirectory, remove_abandoned


def run(state_dir: Path | None, **options: Any) -> BackgroundSandbox:
    lambda_options = LambdaOptions(**{"update_s": 0.02, **options})
    return BackgroundSandbox(
        SandboxOptions(state_dir=state_dir, lambda_options=lambda_options),
        lambda environment: LocalExecutor(aws_environment=environment),
    )


def test_functions_survive_a_restart(
    tmp_path: Path, connect: Any, create_in: Any, settled: Any, make_zip: Any
) -> None:
    source = "def handler(event, context):\n    return 'kept'\n"
    package = make_zip({"app.py": source})
    with run(tmp_path) as sandbox:
        client = connect(sandbox)
        create_in(client, "f", Code={"ZipFile": package}, Environment={"Variables": {}})
        client.publish_version(FunctionName="f", Description="one")
        client.update_function_configuration(FunctionName="f", MemorySize=256)
        settled(client, "f")
        client.publish_version(FunctionName="f")
        client.delete_function(FunctionName="f", Qualifier="2")
        routing = {"AdditionalVersionWeights": {"1": 1.0}}
        client.update_function_configuration(FunctionName="f", Timeout=7)
        settled(client, "f")
        client.publish_version(FunctionName="f")
        client.create_alias(
            FunctionName="f", Name="live", FunctionVersion="3", RoutingConfig=routing
        )
        client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=5)
        before = everything(client)
    with run(tmp_path) as sandbox:
        client = connect(sandbox)
        assert everything(client) == before
        answer = client.invoke(FunctionName="f", Qualifier="live")
        assert answer["ExecutedVersion"] == "1"
        assert json.loads(answer["Payload"].read()) == "kept"
        client.update_function_configuration(FunctionName="f", MemorySize=512)
        settled(client, "f")
        assert client.publish_version(FunctionName="f")["Version"] == "4"


def everything(client: Any) -> list[Any]:
    """All that the API tells about the function f."""
    answers = [
        client.get_function(FunctionName="f"),
        client.list_versions_by_function(FunctionName="f"),
        client.list_aliases(FunctionName="f"),
        client.get_account_settings(),
    ]
    for answer in answers:
        del answer["ResponseMetadata"]
    del answers[0]["Code"]  # has the port
    return answers


def test_what_was_in_progress_is_done_after_a_restart(
    tmp_path: Path, connect: Any, create_in: Any
) -> None:
    with run(tmp_path, update_s=0.3) as sandbox:
        client = connect(sandbox)
        create_in(client, "f")
        client.update_function_configuration(FunctionName="f", MemorySize=999)
    with run(tmp_path) as sandbox:
        shown = connect(sandbox).get_function_configuration(FunctionName="f")
    assert (shown["MemorySize"], shown["LastUpdateStatus"]) == (999, "Successful")


def test_packages_that_no_function_has_are_removed_at_the_next_start(
    tmp_path: Path, connect: Any, create_in: Any
) -> None:
    with run(tmp_path) as sandbox:
        client = connect(sandbox)
        create_in(client, "f")
        assert len(list((tmp_path / "code").iterdir())) == 2
        client.delete_function(FunctionName="f")
    with run(tmp_path):
        assert list((tmp_path / "code").iterdir()) == []


@pytest.mark.parametrize("change", ["put", "remove"])
def test_a_change_that_cannot_be_saved_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    latest = Version("$LATEST", Settings("python3.12", "a.b", "role"), Code("", 0), "r", "c", "t")
    store = FunctionStore(tmp_path / "state.json")
    first = Function("first", latest, latest, reserved_concurrency=3)
    store.put(first)

    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    second = Function("second", latest, latest)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space left"):
            store.put(second) if change == "put" else store.remove("first")
    assert (list(store), store.reserved_concurrency) == ([first], 3)
    unsaveable = replace(latest, settings=replace(latest.settings, description="\ud800"))
    with pytest.raises(ValueError, match="surrogates not allowed"):
        store.put(Function("third", unsaveable, unsaveable))
    store.put(Function("fourth", latest, latest))
    kept = [function.name for function in FunctionStore(tmp_path / "state.json")]
    assert kept == [function.name for function in store] == ["first", "fourth"]


def test_values_that_cannot_be_stored_do_no_harm(
    tmp_path: Path, connect: Any, create_in: Any, send: Any
) -> None:
    functions = "/2015-03-31/functions/f"
    with run(tmp_path) as sandbox:
        client = connect(sandbox)
        create_in(client, "f", Publish=True)
        body = b'{"Description": "\\ud800"}'
        assert send(sandbox, "PUT", f"{functions}/configuration", body)[0] == 400
        body = (
            b'{"Name": "a", "FunctionVersion": "1",'
            b' "RoutingConfig": {"AdditionalVersionWeights": {"2": NaN}}}'
        )
        assert send(sandbox, "POST", f"{functions}/aliases", body)[0] == 400
        create_in(client, "g")
    with run(tmp_path) as sandbox:
        listed = connect(sandbox).list_functions()["Functions"]
    assert [shown["FunctionName"] for shown in listed] == ["f", "g"]


def test_files_of_the_user_in_a_state_directory_stay(
    tmp_path: Path, connect: Any, create_in: Any
) -> None:
    (tmp_path / "code" / "src").mkdir(parents=True)
    (tmp_path / "code" / "notes.txt").write_text("mine")
    with run(tmp_path) as sandbox:
        create_in(connect(sandbox), "f")
    assert (tmp_path / "code" / "src").is_dir()
    assert (tmp_path / "code" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("content", "part"),
    [
        pytest.param("{", "could not read the sandbox's state", id="no JSON"),
        pytest.param('{"functions": []}', "could not read", id="no schema version"),
        pytest.param(
            '{"schema_version": 9, "functions": []}',
            "schema_version: must be 1 (got 9)",
            id="another schema version",
        ),
    ],
)
def test_a_state_that_cannot_be_read_is_told(tmp_path: Path, content: str, part: str) -> None:
    (tmp_path / "state.json").write_text(content)
    with pytest.raises(InputError) as caught, run(tmp_path):
        pass
    assert part in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_state_directory_has_one_sandbox(tmp_path: Path) -> None:
    with run(tmp_path), pytest.raises(InputError, match="another sandbox uses it"), run(tmp_path):
        pass
    with run(tmp_path):
        pass


def test_a_state_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InputError, match="could not write there"):
        StateDirectory(file)


def test_temporary_directories_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connect: Any, create_in: Any
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with run(None) as sandbox:
        create_in(connect(sandbox), "f")
        assert len(list(tmp_path.glob("lambda-sandbox-*"))) == 1
    assert list(tmp_path.glob("lambda-sandbox-*")) == []


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of its own for temporary directories."""
    path = tmp_path / "temporary"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


def test_directories_of_killed_sandboxes_are_removed_and_others_are_not(temporary: Path) -> None:
    killed = StateDirectory(None)
    os.close(killed._lock)  # as the end of its process does
    running = StateDirectory(None)
    assert not killed.path.exists()
    for name in ("lambda-sandbox-starting", "other"):
        (temporary / name).mkdir()
    (temporary / "other" / "lock").write_text("")
    remove_abandoned(temporary)
    kept = {path.name for path in temporary.iterdir()}
    assert kept == {"lambda-sandbox-starting", "other", running.path.name}
    running.release()
    assert not running.path.exists()


def test_read_only_packages_of_killed_sandboxes_are_removed(temporary: Path) -> None:
    killed = StateDirectory(None)
    (killed.path / "code").mkdir()
    (killed.path / "code" / "app.py").write_text("")
    make_read_only(killed.path / "code")
    os.close(killed._lock)  # as the end of its process does
    remove_abandoned(temporary)
    assert list(temporary.iterdir()) == []


def test_a_lasting_directory_stays_whatever_its_name_is(temporary: Path) -> None:
    path = temporary / "lambda-sandbox-mine"
    StateDirectory(path).release()
    remove_abandoned(temporary)
    assert (path / "lock").exists()


def test_the_directory_of_a_killed_sandbox_can_be_kept(temporary: Path) -> None:
    killed = StateDirectory(None)
    os.close(killed._lock)  # as the end of its process does
    StateDirectory(killed.path).release()
    remove_abandoned(temporary)
    assert killed.path.exists()


def test_a_starting_sandbox_is_never_robbed(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever another sandbox does between any two steps of a start."""
    lock, mark = state_dir._lock, StateDirectory._mark

    def interrupted_lock(path: Path, *, create: bool = True) -> int:
        if not create:
            return lock(path, create=False)
        remove_abandoned(temporary)
        # The file is there, and the lock is not taken yet.
        (path / "lock").touch()
        remove_abandoned(temporary)
        return lock(path)

    def interrupted_mark(directory: StateDirectory) -> None:
        remove_abandoned(temporary)
        mark(directory)
        remove_abandoned(temporary)

    monkeypatch.setattr(state_dir, "_lock", interrupted_lock)
    monkeypatch.setattr(StateDirectory, "_mark", interrupted_mark)
    directory = StateDirectory(None)
    assert (directory.path / "lock").exists()
    directory.release()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_directories_of_other_users_are_passed_over(temporary: Path) -> None:
    foreign = temporary / "lambda-sandbox-foreign"
    foreign.mkdir(mode=0)
    StateDirectory(None).release()
    assert foreign.exists()
    foreign.chmod(0o700)


@pytest.mark.parametrize("is_link", [False, True], ids=["a directory", "a link to one"])
def test_what_is_removed_is_the_directory_itself(tmp_path: Path, *, is_link: bool) -> None:
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o750)
    doomed = tmp_path / "doomed"
    if is_link:
        doomed.symlink_to(kept)
    else:
        (doomed / "deep").mkdir(parents=True)
        (doomed / "link").symlink_to(kept)
        make_read_only(doomed)
    remove_tree(doomed)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o750
    assert doomed.exists() == is_link
