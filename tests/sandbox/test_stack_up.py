"""`sandbox up --stack` and `sandbox deploy`, as people and parents run them."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from sandbox.background import BackgroundSandbox
from sandbox.cli import main
from sandbox.stack.reader import STACKS_DIR

COMMAND = [sys.executable, "-c", "from sandbox.cli import main; main()"]
UP = ("up", "--no-functions", "--port", "0", "--json", "--stop-with-stdin")

SMALL = """\
account: {concurrency: 200, throttle: {rate_rps: 50, burst: 25}}
functions:
  hello: {model: {duration_ms: {"128": 1}, init_ms: 0, response: {statusCode: 200, body: hello}}}
apis:
  greeter:
    kind: rest
    routes: [{path: /hello, method: GET, function: hello, api_key_required: true}]
usage_plans:
  few:
    apis: [greeter]
    quota: {limit: 2, period: month}
    keys: {me: key-0000000000000000001}
"""


@pytest.fixture
def run() -> Iterator[Callable[..., tuple[dict[str, Any], Callable[[], str]]]]:
    """Starts `sandbox ...`; gives the document that it prints, and what ends it."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str | Path) -> tuple[dict[str, Any], Callable[[], str]]:
        process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise AssertionError(process.communicate(timeout=30)[1])

        def finish() -> str:
            stderr = process.communicate(timeout=30)[1]
            assert process.returncode == 0
            return stderr

        return json.loads(line), finish

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def get(url: str, key: str) -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request("GET", parts.path, headers={"x-api-key": key})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_an_option_goes_before_the_concurrency_of_the_stack(run: Any, tmp_path: Path) -> None:
    stack = tmp_path / "small.yaml"
    stack.write_text(SMALL)
    document, finish = run(*UP, "--stack", stack, "--account-concurrency", "150")
    client = boto3.client(
        "lambda",
        endpoint_url=document["endpoint_url"],
        region_name="us-east-1",
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",
    )
    assert client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 150
    client.close()
    finish()


def test_a_stack_is_served_and_outlives_a_restart(run: Any, tmp_path: Path) -> None:
    stack = tmp_path / "small.yaml"
    stack.write_text(SMALL)
    arguments = (*UP, "--state", tmp_path / "state", "--stack", stack)
    ids, answers = [], []
    for _ in range(2):
        document, finish = run(*arguments)
        [api], [plan] = document["apis"], document["usage_plans"]
        [key] = plan["keys"]
        ids.append((api["id"], plan["id"]))
        answers += [get(f"{api['url']}/hello", key["value"]) for _ in range(2)]
        client = boto3.client(
            "apigateway",
            endpoint_url=document["endpoint_url"],
            region_name="us-east-1",
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
        )
        assert client.get_account()["throttleSettings"] == {"rateLimit": 50.0, "burstLimit": 25}
        client.close()
        stderr = finish()
        assert api["url"] in stderr
        assert f"x-api-key: {key['value']} (me)" in stderr
    assert ids[0] == ids[1]
    assert answers[:2] == [(200, "hello")] * 2
    # The quota of the month was used up before the restart.
    assert answers[2:] == [(429, '{"message":"Limit Exceeded"}')] * 2
    assert [function["name"] for function in document["functions"]] == ["hello"]


def test_the_bundled_stack_starts_by_its_name(run: Any) -> None:
    document, finish = run(*UP, "--stack", "orders")
    assert [api["name"] for api in document["apis"]] == ["orders", "storefront"]
    assert document["stack"] == "orders"
    for api in document["apis"]:
        assert get(f"{api['url']}/products/7", "-")[0] == 200
    finish()


def call_main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["sandbox", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_a_running_sandbox_takes_a_stack(
    sandbox: BackgroundSandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    unused_name: Callable[[], str],
) -> None:
    name = unused_name()
    stack = tmp_path / f"{name}.yaml"
    text = SMALL.partition("\n")[2].replace("hello:", f"{name}:").replace("n: hello", f"n: {name}")
    stack.write_text(text.replace("{me: key-0000000000000000001}", "{}"))
    arguments = ("deploy", str(stack), "--endpoint", sandbox.endpoint_url, "--json")

    assert call_main(monkeypatch, *arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["verdict"], document["exit_code"], document["stack"]) == ("pass", 0, name)
    [api] = document["apis"]
    assert api["url"].startswith(f"{sandbox.endpoint_url}/_aws/execute-api/")
    stack.write_text("functions: {}\n")
    assert call_main(monkeypatch, *arguments) == 0


def unused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["deploy", "nowhere"], 2, "there is no such stack file", id="no file"),
        pytest.param(["up", "--stack", "nowhere"], 2, "it brings orders", id="no file for up"),
        pytest.param(
            ["deploy", "orders", "--endpoint", "https://apigateway.us-east-1.amazonaws.com"],
            2,
            "--endpoint: must be the URL of a sandbox on this machine",
            id="AWS itself",
        ),
        pytest.param(
            ["deploy", "orders", "--endpoint", "http://[::1"], 2, "--endpoint: must", id="no URL"
        ),
        pytest.param(
            ["deploy", "orders", "--endpoint", "http://127.0.0.1:99999"],
            2,
            "--endpoint: must",
            id="no port",
        ),
        pytest.param(
            ["deploy", "orders", "--endpoint", "http://127.0.0.1:{port}"],
            1,
            "start one with sandbox up",
            id="what to do where nobody is",
        ),
        pytest.param(["deploy", "{tmp}"], 2, "is a directory", id="a directory"),
        pytest.param(["up", "--stack", ""], 2, "'': there is no such stack file", id="nothing"),
        pytest.param(
            ["up", "--state", "", "--port", "0"], 2, "--state: must name a directory", id="no state"
        ),
        pytest.param(
            ["deploy", "orders", "--endpoint", "http://127.0.0.1:{port}"],
            1,
            "Could not connect",
            id="nobody there",
        ),
        pytest.param(
            ["up", "{tmp}/checkout", "--stack", "orders"],
            2,
            "the name checkout is taken by a function of",
            id="one name twice",
        ),
    ],
)
def test_what_cannot_be_done_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    shutil.copytree(STACKS_DIR.parent / "functions" / "checkout", tmp_path / "checkout")
    filled = [text.replace("{tmp}", str(tmp_path)) for text in arguments]
    filled = [text.replace("{port}", str(unused_port())) for text in filled]
    assert call_main(monkeypatch, *filled) == code
    assert said in " ".join(capsys.readouterr().err.split())


def test_each_mistake_of_a_stack_has_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("functions:\n  a: {bundled: checkout, memory_mb: 1}\napis: []\n")
    assert call_main(monkeypatch, "up", "--stack", str(path), "--json") == 2
    stdout, stderr = capsys.readouterr()
    lines = [
        f"{path}:2:37: functions.a.memory_mb: must be at least 128 (got 1)",
        f"{path}:3:7: apis: must be a mapping (got an empty list)",
    ]
    assert stderr.splitlines() == [f"error: {line}" for line in lines]
    assert json.loads(stdout)["errors"] == lines
