"""Starts the sandbox as a child process, for `--sandbox`, and stops it afterwards.

The child is only ever reached over HTTP; nothing here knows what it does inside.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from core.aws.session import LocalAccess
from core.errors import ExitCode, InputError, ToolError

_STOP_TIMEOUT_S = 10


@contextmanager
def local_aws(arguments: Sequence[str] = ()) -> Iterator[LocalAccess]:
    """A sandbox on a free port of 127.0.0.1, for as long as the context lasts.

    `arguments` go to `sandbox up`. The child lives in a process session of its own, so that Ctrl-C
    reaches only the command that still has to tidy up; it ends when its stdin closes, which it
    does even if this process is killed.

    Raises:
        InputError: when the sandbox cannot begin with what it was given.
        ToolError: when it does not start, with what it said.
    """
    command = [sys.executable, "-P", "-m", "sandbox", "up", "--port", "0", "--json", "-q"]
    command += ["--stop-with-stdin", *arguments]
    with tempfile.TemporaryFile() as talk:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=talk,
            start_new_session=True,
        )
        try:
            announcement = child.stdout.readline() if child.stdout else b""
            if not announcement.strip():
                child.wait(_STOP_TIMEOUT_S)
                talk.seek(0)
                raise ToolError(
                    f"the sandbox did not start: {talk.read().decode(errors='replace')}"
                )
            yield _parse(announcement)
        finally:
            _stop(child)


def _parse(announcement: bytes) -> LocalAccess:
    document = json.loads(announcement)
    if document.get("exit_code"):
        kind = InputError if document["exit_code"] == ExitCode.INPUT else ToolError
        raise kind(f"the sandbox did not start: {'; '.join(document['errors'])}")
    environment = document["environment"]
    return LocalAccess(
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region=environment["AWS_REGION"],
        access_key_id=environment["AWS_ACCESS_KEY_ID"],
        secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        host_cores=document["host_cores"],
    )


def _stop(child: subprocess.Popen[bytes]) -> None:
    for stream in (child.stdin, child.stdout):
        if stream:
            stream.close()
    try:
        child.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
