"""Load generators that the benchmarks run as child processes: `loadgen` and its peers.

Each is run as a user runs it, on the core of the caller's choice, and says what it did itself.
"""

from __future__ import annotations

import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from servers import on_core

LOADGEN = str(Path(sys.executable).with_name("loadgen"))
# A saturated generator is the point of some benchmarks, and then the run is called invalid.
_EXIT_CODES = (0, 5)
_GUARDS = {"max_requests": 100_000_000, "max_rate": 1_000_000}
_LIMIT_S = 120.0  # beyond the time that a run is to take


class PeerError(Exception):
    """A load generator could not be had, or did not do what it was asked for."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Requests a second, and how much of a core they took."""

    rps: float
    cpu_share: float

    @property
    def per_cpu_s(self) -> float:
        """Requests for each second of CPU time: other work on the machine hardly changes it."""
        return self.rps / self.cpu_share if self.cpu_share else float("nan")


@dataclass(frozen=True, slots=True)
class LoadgenRun:
    """The document of a run, and where its raw data are."""

    document: dict[str, Any]
    folder: Path

    @property
    def speed(self) -> Speed:
        """Completed requests of the measured phases; the injector's CPU in the median second."""
        rows = self.document["seconds"][1:-1]  # whole seconds only
        known = [row["cpu_share"] for row in rows if row["cpu_share"] is not None]
        share = statistics.median(known) if known else float("nan")
        return Speed(float(self.document["rates"]["admitted_rps"]), share)


def profile(
    url: str, load: dict[str, Any], *, flow: list[dict[str, Any]], **more: Any
) -> dict[str, Any]:
    """A profile that asks one server, without limits that would end a benchmark."""
    return {
        "version": 1,
        "name": "benchmark",
        "target": {"url": url.rstrip("/")},
        "load": load,
        "scenarios": [{"name": "ask", "flow": flow}],
        "guards": _GUARDS,
        "validity": {"max_cpu": 1.0},
        **more,
    }


def run_loadgen(
    profile: dict[str, Any], folder: Path, *, seconds: float, core: int | None
) -> LoadgenRun:
    """`loadgen run` of a profile, whose JSON is YAML as well; `folder` is new for each run.

    Raises:
        PeerError: it ended in another way than with a result.
    """
    folder.mkdir()
    (folder / "profile.yaml").write_text(json.dumps(profile))
    runs = folder / "runs"
    command = [LOADGEN, "run", str(folder / "profile.yaml"), "--runs", str(runs), "--json", "-q"]
    out = _run(command, seconds, core, _EXIT_CODES)
    made = [result.parent for result in runs.rglob("result.json")]
    if len(made) != 1:
        raise PeerError(f"loadgen made {len(made)} results in {runs}")
    return LoadgenRun(json.loads(out), made[0])


def run_locust(
    url: str, *, users: int, seconds: float, core: int | None, rate: float = 0.0
) -> dict[str, Any]:
    """Locust's FastHttpUser; see locust_peer.py for its settings and what it tells."""
    script = Path(__file__).with_name("locust_peer.py")
    command = [sys.executable, str(script), url, "--users", str(users), "--rate", str(rate)]
    out = _run([*command, "--seconds", str(seconds)], seconds, core)
    told: dict[str, Any] = json.loads(out)
    if told["failures"]:
        raise PeerError(f"FastHttpUser: {told['failures']} of {told['requests']} requests failed")
    return told


def run_wrk(url: str, *, connections: int, seconds: float, core: int | None) -> Speed:
    """wrk with one thread."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", url]
    out, cpu_s = _timed(command, seconds, core)
    if "Non-2xx" in out or "Socket errors" in out:
        raise PeerError(f"wrk: {out}")
    return Speed(_figure(r"Requests/sec:\s+([\d.]+)", out), cpu_s / seconds)


def run_hey(url: str, *, connections: int, seconds: float, core: int | None) -> Speed:
    """hey on one processor."""
    command = ["hey", "-cpus", "1", "-c", str(connections), "-z", f"{seconds:g}s", url]
    out, cpu_s = _timed(command, seconds, core)
    if re.search(r"\[[^2]\d\d\]\s+\d+ responses|Error distribution", out):
        raise PeerError(f"hey: {out}")
    return Speed(_figure(r"Requests/sec:\s+([\d.]+)", out), cpu_s / seconds)


def run_autocannon(
    command: str, url: str, *, connections: int, seconds: float, core: int | None
) -> Speed:
    """autocannon, which has one thread unless told otherwise."""
    asked = [command, "-c", str(connections), "-d", f"{seconds:g}", "-j", "-n", url]
    out, cpu_s = _timed(asked, seconds, core)
    told = json.loads(out.splitlines()[-1])
    if told["errors"] or told["non2xx"]:
        raise PeerError(f"autocannon: {told['errors']} errors, {told['non2xx']} not 2xx")
    return Speed(float(told["requests"]["total"]) / float(told["duration"]), cpu_s / seconds)


def install_autocannon(folder: Path) -> str:
    """Its command, installed by npm into `folder` if it is not there already.

    Raises:
        PeerError: npm is not there, or cannot install it.
    """
    found = shutil.which("autocannon")
    if found:
        return found
    npm = shutil.which("npm")
    if npm is None:
        raise PeerError("autocannon needs npm")
    command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), "autocannon"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_LIMIT_S)
    except (subprocess.SubprocessError, OSError) as error:
        raise PeerError("npm could not install autocannon") from error
    return str(folder / "node_modules" / ".bin" / "autocannon")


def _timed(command: list[str], seconds: float, core: int | None) -> tuple[str, float]:
    """What it prints, and the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = _run(command, seconds, core)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return out, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _run(
    command: list[str], seconds: float, core: int | None, exit_codes: tuple[int, ...] = (0,)
) -> str:
    done = subprocess.run(
        [*on_core(core), *command],
        capture_output=True,
        text=True,
        timeout=seconds + _LIMIT_S,
        check=False,
    )
    if done.returncode not in exit_codes:
        told = (done.stderr or done.stdout)[-2000:]
        raise PeerError(f"{Path(command[0]).name} ended with {done.returncode}: {told}")
    return done.stdout


def _figure(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise PeerError(f"no figure {pattern} in: {text}")
    return float(found[1])
