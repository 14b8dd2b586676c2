"""Whole commands as child processes, as a user starts them."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.aws.session import LocalAccess
from tests.conftest import child_environment
from tests.system.forked import Forked

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

    def start(self, module: str, *arguments: str, **changed: str) -> Forked:
        """A running command; `changed` adds environment variables, or removes those set to ''."""
        return Forked(module, arguments, self.folder, self._environment(changed))

    def start_anew(self, module: str, *arguments: str, **changed: str) -> subprocess.Popen[str]:
        """As `start`, by a Python of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=self.folder,
            env=self._environment(changed),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, module: str, *arguments: str, **changed: str) -> Finished:
        """A command run to its end."""
        with self.start(module, *arguments, **changed) as child:
            out, err = child.communicate(timeout=TIMEOUT_S)
        assert child.returncode is not None
        return Finished(child.returncode, out, err)

    def run_anew(self, module: str, *arguments: str, **changed: str) -> Finished:
        """As `run`, by a Python of its own."""
        with self.start_anew(module, *arguments, **changed) as child:
            out, err = child.communicate(timeout=TIMEOUT_S)
        return Finished(child.returncode, out, err)

    def _environment(self, changed: Mapping[str, str]) -> dict[str, str]:
        both = {**self.environment, **changed}
        return {name: value for name, value in both.items() if value}


class CommandHere:
    """Runs console scripts inside this process, which saves half a second of imports each time."""

    def __init__(self, like: Command, capsys: pytest.CaptureFixture[str]) -> None:
        self._like, self._capsys = like, capsys

    def run(self, module: str, *arguments: str, **changed: str) -> Finished:
        """As `Command.run`."""
        main = importlib.import_module(f"{module}.cli").main
        self._capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self._like.folder)
            patch.setattr(sys, "argv", [module, *arguments])
            for name, value in {**self._like.environment, **changed}.items():
                if value:
                    patch.setenv(name, value)
                else:
                    patch.delenv(name, raising=False)
            with pytest.raises(SystemExit) as ended:
                main()
        out, err = self._capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Finished(ended.value.code, out, err)


@pytest.fixture
def command(local_access: LocalAccess, tmp_path: Path) -> Command:
    folder = tmp_path / "work"
    folder.mkdir()
    return Command(local_access, folder)


@pytest.fixture
def here(command: Command, capsys: pytest.CaptureFixture[str]) -> CommandHere:
    """Runs what `command` runs, in this process."""
    return CommandHere(command, capsys)
