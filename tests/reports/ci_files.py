"""The files of docs/ci, and the shell steps in them as a CI service would run them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.located_yaml import read_document

CI = Path(__file__).parents[2] / "docs" / "ci"
PLATFORMS = ("github", "gitlab", "jenkins", "codebuild", "cron", "systemd")
# What stands for `reports`: it notes its arguments, leaves the files that it is asked for, and ends
# with the code that it is told.
_REPORTS = """\
#!/usr/bin/env bash
set -euo pipefail
printf '%s\\n' "$@" > "$NOTED/reports"
if [ "$CODE" != 2 ]; then
  for argument in "$@"; do
    case "$argument" in *=*/*.*) echo made > "${argument#*=}" ;; esac
  done
  mkdir -p runs/20261127T020004Z-nightly-shop
  echo made > runs/20261127T020004Z-nightly-shop/result.json
fi
exit "$CODE"
"""
_PIP = """\
#!/usr/bin/env bash
printf '%s ' "$@" >> "$NOTED/pip"
"""
# `python -m pip ...`, and `python3 -m venv --clear FOLDER`, whose pip is then used.
_PYTHON = """\
#!/usr/bin/env bash
set -euo pipefail
case "$2" in
  pip) shift 2; exec pip "$@" ;;
  venv) mkdir -p "$4/bin"; cp "$STAND_INS/pip" "$STAND_INS/reports" "$4/bin" ;;
  *) exit 99 ;;
esac
"""


@dataclass(frozen=True)
class Done:
    """What came of the steps: exit code, words, and the arguments of pip and of `reports`."""

    code: int
    said: str
    pip: list[str]
    reports: list[str]


@cache
def values(name: str) -> Any:
    """The values of a YAML file of docs/ci."""
    text = (CI / name).read_text(encoding="utf-8")
    document = read_document(text, is_template=name == "nightly-codebuild.yaml")
    assert document.problems == []
    return document.value


def jenkins_steps() -> list[str]:
    """The texts of the sh steps of the Jenkinsfile."""
    text = (CI / "Jenkinsfile").read_text(encoding="utf-8")
    return [step.replace("\\\\", "\\") for step in re.findall(r"'''(.*?)'''", text, re.DOTALL)]


def unit(name: str) -> dict[str, list[str]]:
    """Settings of a systemd unit, each with all its values."""
    found: dict[str, list[str]] = {}
    for line in (CI / name).read_text(encoding="utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def steps_of(platform: str) -> tuple[list[str], dict[str, str]]:
    """The shell scripts of a platform in their order, and the variables that its file sets."""
    if platform == "github":
        job = values("github-actions.yml")["jobs"]["night"]
        env = {
            name: re.sub(r"\$\{\{.*'(.+)' }}", r"\1", value) for name, value in job["env"].items()
        }
        return [step["run"] for step in job["steps"] if "run" in step], env
    if platform == "gitlab":
        job = values("gitlab-ci.yml")["night"]
        env = {**job["variables"], "NIGHTLY_TOKEN": "token"}
        return ["\n".join(job["before_script"] + job["script"])], env
    if platform == "codebuild":
        spec = values("buildspec.yml")
        commands = [line for phase in spec["phases"].values() for line in phase["commands"]]
        return ["\n".join(commands)], spec["env"]["variables"]
    if platform == "jenkins":
        text = (CI / "Jenkinsfile").read_text(encoding="utf-8")
        return jenkins_steps(), dict(re.findall(r"^ {8}([A-Z]+) = '(.+)'$", text, re.MULTILINE))
    if platform == "cron":
        return [f"{shlex.quote(str(CI / 'nightly-cron.sh'))} ."], {}
    service = unit("nightly-performance.service")
    env = dict(pair.split("=", 1) for line in service["Environment"] for pair in line.split())
    commands = [*service["ExecStartPre"], *service["ExecStart"]]
    return [re.sub(r"/srv/performance/\.venv/bin/", "", line) for line in commands], env


def run_steps(platform: str, folder: Path, code: int, **more: str) -> Done:
    """Runs the steps of a platform in `folder`, until one ends with another code than 0."""
    noted, stand_ins = folder / "noted", folder / "stand-ins"
    work = folder / "work"
    for made in (noted, stand_ins, work):
        made.mkdir()
    named = {"reports": _REPORTS, "pip": _PIP, "python": _PYTHON, "python3": _PYTHON}
    for name, text in named.items():
        (stand_ins / name).write_text(text, encoding="utf-8")
        (stand_ins / name).chmod(0o755)
    scripts, env = steps_of(platform)
    around = {
        **env,
        "PATH": f"{stand_ins}:{os.environ['PATH']}",
        "HOME": str(folder),
        "NOTED": str(noted),
        "STAND_INS": str(stand_ins),
        "CODE": str(code),
        **({"AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "token")} if platform == "gitlab" else {}),
        **more,
    }
    ended, said = 0, ""
    for script in scripts:
        finished = subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-euo", "pipefail", "-c", script],
            cwd=work, env=around, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
        )  # fmt: skip
        ended, said = finished.returncode, said + finished.stdout
        if ended:
            break
    return Done(ended, said, _noted(noted / "pip", " "), _noted(noted / "reports", "\n"))


def _noted(path: Path, between: str) -> list[str]:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [word for word in text.split(between) if word]
