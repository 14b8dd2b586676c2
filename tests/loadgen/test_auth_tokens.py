"""Bearer tokens come from a text, a file or a command; JWTs say when they end."""

from __future__ import annotations

import base64
import json
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError, ToolError
from loadgen.auth import tokens
from loadgen.auth.tokens import jwt_claims, jwt_expiry_s, token_reader
from loadgen.profile.model import BearerAuth


def jwt(**claims: object) -> str:
    parts = ({"alg": "none"}, claims)
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join([*(text.rstrip("=") for text in texts), "c2lnbmF0dXJl"])


def read(base_dir: Path, **parts: object) -> str:
    auth = BearerAuth.model_validate({"type": "bearer", **parts})
    return token_reader(auth, base_dir, threading.Event())()


def test_a_token_is_a_text_a_file_or_what_a_command_prints(tmp_path: Path) -> None:
    (tmp_path / "token.txt").write_text("from-a-file\n")

    assert read(tmp_path, value="as-it-is") == "as-it-is"
    assert read(tmp_path, file="token.txt") == "from-a-file"
    assert read(tmp_path, command=["cat", "token.txt"]) == "from-a-file"
    assert read(tmp_path, command=["sh", "-c", "echo talk >&2; echo ' printed '"]) == "printed"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        pytest.param({"file": "no"}, r"could not read .*no: No such file", id="no file"),
        pytest.param({"file": "empty"}, r"empty is empty; it should be", id="empty file"),
        pytest.param({"file": "long"}, r"more than 16,384 bytes", id="some other file"),
        pytest.param({"file": "binary"}, r"it is no text", id="binary file"),
        pytest.param({"file": "."}, r"could not read .*: Is a directory", id="folder"),
        pytest.param({"command": ["./no"]}, r"could not run '\./no': No such file", id="no such"),
        pytest.param({"command": ["a\0b"]}, r"could not run 'a\x00b': embedded", id="no name"),
        pytest.param({"command": ["./empty"]}, r"could not run .*Permission denied", id="no tool"),
        pytest.param({"command": ["true"]}, r"the output of 'true' is empty", id="no output"),
        pytest.param({"command": ["false"]}, r"exit code 1: it said nothing", id="silent"),
        pytest.param(
            {"command": ["sh", "-c", "echo hush; echo first >&2; echo not logged in >&2; exit 3"]},
            r"^'sh' ended with exit code 3: not logged in$",
            id="its last word is shown, its output and arguments are not",
        ),
        pytest.param({"command": ["sh", "-c", "kill -9 $$"]}, r"exit code -9: it said", id="kill"),
    ],
)
def test_no_token_is_one_clear_line(tmp_path: Path, parts: dict[str, object], message: str) -> None:
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "long").write_text("x" * 16_385)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(InputError, match=message):
        read(tmp_path, **parts)


def test_a_command_that_hangs_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_COMMAND_TIMEOUT_S", 0.1)

    with pytest.raises(InputError, match="'sh' did not end within 0 s"):
        read(tmp_path, command=["sh", "-c", "sleep 60 & sleep 60"])
    with pytest.raises(InputError, match="did not end"):  # the child holds the pipe
        read(tmp_path, command=["sh", "-c", "sleep 60 & echo token"])


def test_a_command_ends_with_the_run(tmp_path: Path) -> None:
    stopping = threading.Event()
    stopping.set()
    auth = BearerAuth.model_validate({"type": "bearer", "command": ["sleep", "60"]})

    with pytest.raises(ToolError, match="stopped with the run"):
        token_reader(auth, tmp_path, stopping)()


def test_a_command_gets_no_input_to_wait_for(tmp_path: Path) -> None:
    script = "import sys; print(len(sys.stdin.read()))"
    assert read(tmp_path, command=[sys.executable, "-c", script]) == "0"


def test_a_jwt_says_when_it_ends() -> None:
    assert jwt_expiry_s(jwt(exp=1_790_000_000, sub="é~?>")) == 1_790_000_000
    assert jwt_claims(jwt(username="me"))["username"] == "me"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("opaque", id="no JWT"),
        pytest.param("a.b.c", id="three parts of something"),
        pytest.param("a.e30", id="two parts"),
        pytest.param("a.W10.c", id="a list"),
        pytest.param("é.é.é", id="no base64"),
        pytest.param(jwt(), id="no end"),
        pytest.param(jwt(exp="soon"), id="a text"),
        pytest.param(jwt(exp=True), id="a flag"),
        pytest.param(jwt(exp=float("nan")), id="no number"),
        pytest.param(jwt(exp=10**400), id="beyond all numbers"),
    ],
)
def test_other_tokens_do_not(token: str) -> None:
    assert jwt_expiry_s(token) is None


@given(st.text(max_size=40) | st.builds("{}.{}.{}".format, st.text(), st.text(), st.text()))
def test_no_text_is_too_strange(token: str) -> None:
    jwt_expiry_s(token)
