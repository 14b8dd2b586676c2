"""Secrets given to `loadgen run`: the API gets them, and nothing that the run writes has them."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loadgen.redact import Secrets, check_no_secret
from tests.system.conftest import Finished
from tests.system.load_rig import (
    CountingServer,
    LoadCommand,
    Reply,
    Seen,
    check_books,
    counting_server,
    flow,
    open_load,
)

pytestmark = pytest.mark.system

ENV_KEY = "env-key-8f3Lq/2+x=="
SET_KEY = "set-key-0pQ7&<w>'9"
FILE_TOKEN = "file-token.eyJhbGciOiJub25lIn0.c2VjcmV0"
COMMAND_TOKEN = "command-token-Zz81-~._"
ELSEWHERE_KEY = "elsewhere-key-55512"
HEADER_TOKEN = "~session~77~"
FORM_PASSWORD = "form password 100%"
BODY_PASSWORD = 'body-"quoted"\\password'
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
AWS_TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//session+token=="
# What requests carry as it is; of SigV4 that is only the session token, and signatures.
SENT = (ENV_KEY, SET_KEY, FILE_TOKEN, COMMAND_TOKEN, HEADER_TOKEN, FORM_PASSWORD, BODY_PASSWORD)
GIVEN = (*SENT, ELSEWHERE_KEY, AWS_SECRET, AWS_TOKEN)
EXPORTS = ("html=page.html", "md=page.md", "csv=table.csv", "json=copy.json")


def echo(seen: Seen) -> Reply:
    """An API that says everything back, in its body and its headers."""
    said = {**seen.headers, "target": seen.target, "body": seen.body.decode("latin-1")}
    text = "; ".join(f"{name}={value}" for name, value in said.items())
    headers = {f"x-echo-{name}": value for name, value in seen.headers.items()}
    status = int(seen.query.get("status", "200"))
    return Reply(status, json.dumps({**said, "all": text}).encode(), headers)


def expects(**checks: Any) -> dict[str, Any]:
    return {"checks": checks}


def profile() -> dict[str, Any]:
    """One scenario for each way to give a secret; answers fail checks that look at secrets."""
    in_body = expects(json={"body": "none"})
    refused = {"get": "/refused", "query": {"status": 401}, "name": "refused"}
    broken = {"get": "/broken", "query": {"status": 500}, "name": "broken"}
    command = [sys.executable, "-c", "import os; print(os.environ['COMMAND_TOKEN'])"]
    return {
        "auth": {"type": "api_key", "value": "replaced"},
        "http": {"headers": {"X-Session-Token": HEADER_TOKEN}},
        "vars": {"password": FORM_PASSWORD},
        "environments": {"other": {"auth": {"type": "api_key", "value": ELSEWHERE_KEY}}},
        "load": open_load(unit="scenarios", rate=60, duration="1s"),
        "scenarios": [
            flow(
                {"get": "/set", **expects(json={'"x-api-key"': "none"})},
                refused,
                broken,
                name="set",
            ),
            flow(
                {"get": "/env", **expects(headers={"x-echo-x-api-key": "^none$"})},
                name="env",
                auth={"type": "api_key", "value": "${env.ENV_KEY}"},
            ),
            flow(
                {"get": "/file", **expects(json={"authorization": None})},
                name="file",
                auth={"type": "bearer", "file": "token.txt"},
            ),
            flow(
                {"get": "/command", **expects(body={"contains": "nowhere"})},
                name="command",
                auth={"type": "bearer", "command": command},
            ),
            flow(
                {"post": "/form", "form": {"password": "${vars.password}"}, **in_body},
                {"post": "/body", "json": {"password": "${env.BODY_PASSWORD}"}, **in_body},
                # What an answer says is not known before: it is a secret all the same.
                {
                    "get": "/login",
                    "query": {"session": "${uuid}"},
                    "capture": {"session": "header: x-echo-host"},
                },
                name="bodies",
            ),
            flow(
                {"get": "/signed", "query": {"a": "b c"}, **expects(json={"all": ""})},
                name="signed",
                auth={"type": "sigv4", "region": "eu-west-1"},
            ),
        ],
    }


@dataclass(frozen=True)
class Ran:
    """A finished run, its folder, and what the server saw of it."""

    finished: Finished
    folder: Path
    server: CountingServer

    @property
    def signatures(self) -> set[str]:
        """The signatures that requests carried."""
        found = (
            re.search(r"Signature=([0-9a-f]{64})", seen.headers.get("authorization", ""))
            for seen in self.server.seen
        )
        return {match[1] for match in found if match}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    command = LoadCommand(tmp_path_factory.mktemp("secrets"))
    (command.folder / "token.txt").write_text(FILE_TOKEN + "\n")
    with counting_server(echo) as server:
        name = command.profile(server.url, **profile())
        options = ["-v", "--json", "--set", f"auth.value={SET_KEY}", "--processes", "2"]
        for spec in EXPORTS:
            options += ["--export", spec]
        finished = command.run(
            "loadgen",
            "run",
            name,
            *options,
            ENV_KEY=ENV_KEY,
            COMMAND_TOKEN=COMMAND_TOKEN,
            BODY_PASSWORD=BODY_PASSWORD,
            AWS_ACCESS_KEY_ID="AKIDEXAMPLE000000001",
            AWS_SECRET_ACCESS_KEY=AWS_SECRET,
            AWS_SESSION_TOKEN=AWS_TOKEN,
        )
    return Ran(finished, command.folder, server)


def test_the_api_got_every_secret(ran: Ran) -> None:
    requests = "\n".join(
        f"{seen.target} {seen.headers} {seen.body.decode('latin-1')}" for seen in ran.server.seen
    )
    document = ran.finished.document

    assert ran.finished.code == 0, ran.finished.err
    for secret in SENT:
        assert Secrets([secret]).in_bytes(requests.encode()), secret
    assert AWS_TOKEN in requests
    assert ran.signatures
    # With answers of all kinds to each of them.
    check_books(document)
    assert document["requests"]["completed"] == len(ran.server.seen)
    for outcome in ("check_failed", "client_error", "server_error"):
        assert document["outcomes"][outcome] > 0
    assert {failure["step"] for failure in document["failures"]} == {
        "GET /set", "GET /env", "GET /file", "GET /command", "POST /form", "POST /body",
        "GET /signed",
    }  # fmt: skip
    assert document["target"]["auth"] == ["api_key", "bearer", "sigv4"]


def test_no_file_and_no_word_to_the_user_has_a_secret(ran: Ran) -> None:
    secrets = Secrets([*GIVEN, *ran.signatures])
    (folder,) = (ran.folder / "runs").iterdir()
    kept = {path.name for path in folder.iterdir()}

    assert kept == {"result.json", "frames.ndjson.gz", "records-0.npy", "records-1.npy"}
    check_no_secret(ran.folder / "runs", [*GIVEN, *ran.signatures])
    for name in (spec.partition("=")[2] for spec in EXPORTS):
        content = (ran.folder / name).read_bytes()
        assert len(content) > 500
        assert not secrets.in_bytes(content), name
    assert not secrets.in_bytes(ran.finished.out.encode())
    assert not secrets.in_bytes(ran.finished.err.encode())


def test_the_record_of_the_run_can_be_read_all_the_same(ran: Ran) -> None:
    provenance = ran.finished.document["provenance"]

    assert "auth.value=<hidden>" in provenance["command"]
    assert "${env.ENV_KEY}" in provenance["profile_text"]
    assert "<hidden>" in provenance["profile_text"]
