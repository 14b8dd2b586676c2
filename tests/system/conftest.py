"""Whole commands as child processes, as a user starts them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.aws.session import LocalAccess
from tests.conftest import child_environment

TIMEOUT_S = 90


@dataclass(frozen=True)
class Finished:
    """What a command left: exit code, both streams, and its JSON document where it wrote one."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


class Command:
    """Runs console scripts in a folder of their own against the sandbox."""

    def __init__(self, access: LocalAccess, folder: Path) -> None:
        self.folder = folder
        self.environment = child_environment(access)

    def start(self, module: str, *arguments: str, **changed: str) -> subprocess.Popen[str]:
        """A running command; `changed` adds environment variables, or removes those set to ''."""
        environment = {**self.environment, **changed}
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=self.folder,
            env={name: value for name, value in environment.items() if value},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, module: str, *arguments: str, **changed: str) -> Finished:
        """A command run to its end."""
        with self.start(module, *arguments, **changed) as child:
            out, err = child.communicate(timeout=TIMEOUT_S)
        return Finished(child.returncode, out, err)


@pytest.fixture
def command(local_access: LocalAccess, tmp_path: Path) -> Command:
    folder = tmp_path / "work"
    folder.mkdir()
    return Command(local_access, folder)
