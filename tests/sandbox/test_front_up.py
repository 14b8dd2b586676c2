"""`sandbox up` as a child process, as people and parents run it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from core.errors import AwsError
from sandbox.bundled import read_function_folder
from sandbox.cli import main
from sandbox.deploy import deploy
from sandbox.lambda_api.packages import MAX_UNZIPPED_BYTES
from sandbox.server import ACCOUNT_ID

COMMAND = [sys.executable, "-c", "from sandbox.cli import main; main()"]
Run = Callable[..., "subprocess.Popen[str]"]

UTF_8_ONLY = sys.platform == "darwin"  # its file systems refuse other names themselves

LOOKUP = {"runtime": "python3", "handler": "app.handler", "description": "says hello"}


@pytest.fixture
def run() -> Iterator[Run]:
    """Starts `sandbox ...` in a process group of its own; nothing of it outlives the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str | Path, **more: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A function folder that says hello and by which process."""
    path = tmp_path / "hello"
    path.mkdir()
    (path / "function.json").write_text(json.dumps(LOOKUP))
    (path / "app.py").write_text(
        "import os\ndef handler(event, context):\n    return {'hello': event, 'pid': os.getpid()}\n"
    )
    return path


def ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise AssertionError(process.stderr.read() if process.stderr else "")
    return dict(json.loads(line))


def invoke(document: dict[str, Any], name: str) -> dict[str, Any]:
    environment = document["environment"]
    client = boto3.client(
        "lambda",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    try:
        answer = client.invoke(FunctionName=name, Payload=b'"you"')
        return dict(json.loads(answer["Payload"].read()))
    finally:
        client.close()


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=30)
    return process.returncode, stdout, stderr


def is_running(pid: int) -> bool:
    try:
        # A zombie has ended; whoever has to read its status has not.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 20
    while is_running(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param(lambda process: process.send_signal(signal.SIGTERM), id="SIGTERM"),
        pytest.param(lambda process: process.send_signal(signal.SIGINT), id="SIGINT"),
        pytest.param(lambda process: process.stdin.close(), id="end of stdin"),
        pytest.param(lambda process: process.kill(), id="SIGKILL"),
    ],
)
def test_it_serves_until_it_is_stopped_and_leaves_nothing(
    run: Run, folder: Path, stop: Callable[[Any], None], request: pytest.FixtureRequest
) -> None:
    process = run(
        "up", folder, "--no-functions", "--json", "--port", "0", "--stop-with-stdin", "-q"
    )
    document = ready(process)
    assert document["schema_version"] == 1
    assert [function["name"] for function in document["functions"]] == ["hello"]
    answer = invoke(document, "hello")
    assert answer["hello"] == "you"
    assert is_running(answer["pid"])
    stop(process)
    killed = request.node.callspec.id == "SIGKILL"
    assert process.wait(timeout=30) == (-signal.SIGKILL if killed else 0)
    wait_for_end(answer["pid"])
    port = urlsplit(document["endpoint_url"]).port
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    if not killed:
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_people_get_lines_to_export(run: Run) -> None:
    process = run("up", "--no-functions", "--port", "0")
    assert process.stdout is not None
    lines = [process.stdout.readline().strip() for _ in range(5)]
    process.send_signal(signal.SIGTERM)
    code, _, stderr = finish(process)
    assert code == 0
    assert lines[0].startswith("export AWS_ENDPOINT_URL=http://127.0.0.1:")
    assert lines[1:] == [
        "export AWS_ACCESS_KEY_ID=sandbox",
        "export AWS_SECRET_ACCESS_KEY=sandbox",
        "export AWS_DEFAULT_REGION=us-east-1",
        "export AWS_REGION=us-east-1",
    ]
    assert "sandbox ready at http://127.0.0.1:" in stderr


def test_the_bundled_functions_are_there_and_the_state_is_kept(run: Run, tmp_path: Path) -> None:
    names = []
    for _ in range(2):
        process = run("up", "--json", "--port", "0", "--stop-with-stdin", "--state", tmp_path)
        document = ready(process)
        names.append([function["name"] for function in document["functions"]])
        code, _, _ = finish(process)
        assert code == 0
    assert names[0] == names[1]
    assert "lookup" in names[0]
    state = json.loads((tmp_path / "state.json").read_text())
    assert sorted(function["name"] for function in state["functions"]) == names[0]


def test_what_is_deployed_already_is_left_alone(
    sandbox: Any, client: Any, folder: Path, unused_name: Any
) -> None:
    folder = folder.rename(folder.with_name(unused_name()))
    revisions, deployed = [], []
    for settings in (
        LOOKUP,
        LOOKUP,
        {**LOOKUP, "memory_mb": 256, "environment": {"NEW": "1"}},
        {**LOOKUP, "memory_mb": 256},
    ):
        (folder / "function.json").write_text(json.dumps(settings))
        function = read_function_folder(folder)
        deploy(sandbox.environment, [function], ACCOUNT_ID, deployed.append)
        shown = client.get_function_configuration(FunctionName=function.name)
        revisions.append(shown["RevisionId"])
    assert revisions[0] == revisions[1]
    assert len(set(revisions)) == 3
    assert (shown["MemorySize"], "Environment" in shown) == (256, False)
    (folder / "app.py").write_text("def handler(event, context):\n    return 'new'\n")
    deploy(sandbox.environment, [read_function_folder(folder)], ACCOUNT_ID, deployed.append)
    assert json.loads(client.invoke(FunctionName=folder.name)["Payload"].read()) == "new"
    (folder / "function.json").write_text(json.dumps({**LOOKUP, "arch": "arm64"}))
    deploy(sandbox.environment, [read_function_folder(folder)], ACCOUNT_ID, deployed.append)
    shown = client.get_function_configuration(FunctionName=folder.name)
    assert shown["Architectures"] == ["arm64"]
    assert [function.name for function in deployed] == [folder.name] * 6


def test_a_function_that_is_refused_is_named(sandbox: Any, folder: Path) -> None:
    (folder / "function.json").write_text(
        json.dumps({**LOOKUP, "environment": {"AWS_REGION": "x"}})
    )
    with pytest.raises(AwsError, match=r"could not deploy hello: .*reserved keys"):
        deploy(sandbox.environment, [read_function_folder(folder)], ACCOUNT_ID, print)


def call_main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of `sandbox ...` run in this process."""
    monkeypatch.setattr(sys, "argv", ["sandbox", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        pytest.param(["--port", "70000"], "--port: must be from 0 to 65535 (got 70000)", id="port"),
        pytest.param(["--region", "moon"], "--region: must be the name of an AWS", id="region"),
        pytest.param(["--max-memory-mb", "64"], "--max-memory-mb: must be from 128", id="memory"),
        pytest.param(["--update-ms", "-1"], "--update-ms: must be from 0", id="update"),
        pytest.param(["--account-concurrency", "0"], "--account-concurrency: must", id="account"),
        pytest.param(["{tmp}/nowhere"], "there is no function.json", id="no folder"),
        pytest.param(["{tmp}"], "there is no function.json", id="no function.json"),
        pytest.param(["{tmp}/bad"], "handler: is missing", id="bad function.json"),
        pytest.param(["{tmp}/a/x", "{tmp}/b/x"], "the name x is taken by", id="one name twice"),
        pytest.param(["{tmp}/my fn"], "/my fn: the name of the folder", id="name of a folder"),
        pytest.param(
            ["{tmp}/latin"],
            r"the file name b'\xe9.py'",
            id="name of a file",
            marks=pytest.mark.skipif(UTF_8_ONLY, reason="there are no such names"),
        ),
        pytest.param(["{tmp}/large"], "/large: the package of the function must", id="size"),
        pytest.param(["--state", "/proc/nowhere"], "could not write there", id="state"),
        pytest.param(
            ["--state", "{tmp}/taken"],
            "taken/code: could not keep deployment packages there: it is no directory",
            id="code is a file",
        ),
    ],
)
def test_bad_input_is_one_clear_line_and_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    part: str,
) -> None:
    for name, text in {
        "bad": '{"runtime": "python3"}',
        "a/x": json.dumps(LOOKUP),
        "b/x": json.dumps(LOOKUP),
        "my fn": json.dumps(LOOKUP),
        "latin": json.dumps(LOOKUP),
        "large": json.dumps(LOOKUP),
    }.items():
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "function.json").write_text(text)
        (tmp_path / name / "app.py").write_text("#")
    if not UTF_8_ONLY:
        (tmp_path / "latin" / "\udce9.py").write_text("")
    with (tmp_path / "large" / "hole").open("wb") as file:
        file.truncate(MAX_UNZIPPED_BYTES)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "code").write_text("a file")
    given = [argument.format(tmp=tmp_path) for argument in arguments]
    assert call_main(monkeypatch, "up", "--no-functions", "--port", "0", *given) == 2
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert stderr.startswith("error: ")
    assert part in " ".join(stderr.split())
    assert stderr.count("\n") == 1


def test_a_port_in_use_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code = call_main(monkeypatch, "up", "--no-functions", "--port", port, "--json")
    stdout, stderr = capsys.readouterr()
    assert code == 2
    assert f"could not listen on 127.0.0.1:{port}: it is in use" in stderr
    assert json.loads(stdout)["exit_code"] == 2


def test_an_unknown_cpu_model_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_main(monkeypatch, "up", "--cpu-model", "quantum") == 2
    assert "quantum" in capsys.readouterr().err


def test_the_bundled_functions_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call_main(monkeypatch, "functions", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["verdict"], document["exit_code"], document["errors"]) == ("pass", 0, [])
    assert all(function["description"] for function in document["functions"])
    assert call_main(monkeypatch, "functions") == 0
    table = capsys.readouterr().out
    assert all(function["name"] in table for function in document["functions"])


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, sandbox.cli; from typer.testing import CliRunner\n"
        "result = CliRunner().invoke(sandbox.cli.app, ['up', '--help'])\n"
        "assert result.exit_code == 0, result.output\n"
        "heavy = {'boto3', 'botocore', 'httptools', 'numpy', 'rich.table', 'sandbox.server'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "COLUMNS": "100"},
    )
    assert answer.stdout.strip() == "[]"
