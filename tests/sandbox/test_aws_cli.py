"""The AWS CLI, unmodified, told by nothing but environment variables."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def test_the_cli_creates_invokes_and_deletes_a_function(
    sandbox: Any, unused_name: Any, make_zip: Any, tmp_path: Path
) -> None:
    name = unused_name()
    package, answer = tmp_path / "code.zip", tmp_path / "answer.json"
    source = "def handler(event, context):\n    return {'got': event}\n"
    package.write_bytes(make_zip({"app.py": source}))

    def aws(*arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "awscli", "lambda", *arguments, "--output", "json"],
            env={**os.environ, **sandbox.environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout or "{}"))

    created = aws(
        "create-function",
        *("--function-name", name),
        *("--runtime", "python3.12", "--handler", "app.handler"),
        *("--role", "arn:aws:iam::000000000000:role/any"),
        *("--zip-file", f"fileb://{package}"),
    )
    assert created["FunctionArn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    aws("wait", "function-active-v2", "--function-name", name)
    invoked = aws(
        "invoke",
        *("--function-name", name, "--payload", '{"n": 1}', "--log-type", "Tail"),
        str(answer),
    )
    assert invoked["StatusCode"] == 200
    assert invoked["ExecutedVersion"] == "$LATEST"
    assert b"REPORT RequestId: " in base64.b64decode(invoked["LogResult"])
    assert json.loads(answer.read_text()) == {"got": {"n": 1}}
    aws("delete-function", "--function-name", name)
