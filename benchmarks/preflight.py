"""How near the predicted share of throttled requests is to the measured one, on random stacks.

Run: python benchmarks/preflight.py [--runs N] [--seed S]

Each run draws a stack: the rate and burst of a stage, of a method and of a usage plan, and a
function with so many reserved places and a known duration. It then draws a load for each of them,
some below and some above the limit, with uniform or Poisson arrivals, and sends it to the sandbox
with `loadgen run`, which predicts before it sends. The peer is what a head computes from the same
figures: 1 - limit/rate, and for a function with c places and duration D a limit of c/D. Phases
are steady: of constant rate, each after a pause in which buckets fill.

A phase whose prediction is more than 3 points off is a miss, and then the exit code is 1. The
sandbox keeps its limits exactly; AWS does not, so this says how good the arithmetic is and not how
well AWS keeps what it is told.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WANTED = 0.03
KEY = "bench-customer-00000000000001"
PHASE_S = 5
REST_S = 1.5
MOST_S = 110


@dataclass(frozen=True, slots=True)
class Drawn:
    """A limit of `limit_rps` at most, and the load that it is given."""

    phase: str
    words: str
    limit_rps: float
    rate_rps: float

    @property
    def peer(self) -> float:
        """The share that 1 - limit/rate gives."""
        return max(0.0, 1.0 - self.limit_rps / self.rate_rps)


@dataclass(frozen=True, slots=True)
class Compared:
    """A phase: predicted, measured, and the peer's share."""

    drawn: Drawn
    predicted: float | None
    measured: float
    binds: str | None
    found: str | None

    @property
    def off(self) -> float:
        """How far the prediction is off; infinite without one."""
        return math.inf if self.predicted is None else abs(self.predicted - self.measured)


def bucket(rng: random.Random, least: int, most: int) -> dict[str, int]:
    """A throttle whose burst is 0.1 to 1 second of its rate."""
    rate = rng.randint(least, most)
    return {"rate_rps": rate, "burst": max(1, round(rate * rng.uniform(0.1, 1.0)))}


def draw(rng: random.Random) -> tuple[dict[str, Any], dict[str, Any], list[Drawn]]:
    """A stack, a profile for it, and what each phase meets."""
    stage, method, plan = bucket(rng, 30, 90), bucket(rng, 15, 60), bucket(rng, 8, 25)
    places, duration_ms = rng.randint(2, 8), rng.randint(30, 120)
    mock = {"method": "GET", "mock": {"status": 200}}
    stack = {
        "name": "bench",
        "functions": {
            "busy": {
                "model": {
                    "duration_ms": {"128": duration_ms},
                    "init_ms": 0,
                    "hold": True,
                    "response": {"statusCode": 200},
                },
                "reserved_concurrency": places,
            }
        },
        "apis": {
            "bench": {
                "kind": "rest",
                "throttle": stage,
                "routes": [
                    {"path": "/stage", **mock},
                    {"path": "/method", **mock, "throttle": method},
                    {
                        "path": "/plan",
                        **mock,
                        "api_key_required": True,
                        "throttle": {"rate_rps": 1000, "burst": 1000},
                    },
                    {
                        "path": "/busy",
                        "method": "GET",
                        "function": "busy",
                        "throttle": {"rate_rps": 1000, "burst": 1000},
                    },
                ],
            }
        },
        "usage_plans": {"bench": {"apis": ["bench"], "throttle": plan, "keys": {"one": KEY}}},
    }
    of_function = places / (duration_ms / 1000)
    limits = [
        ("stage", f"{stage['rate_rps']}/s, burst {stage['burst']}", stage["rate_rps"]),
        ("method", f"{method['rate_rps']}/s, burst {method['burst']}", method["rate_rps"]),
        ("plan", f"{plan['rate_rps']}/s, burst {plan['burst']}", plan["rate_rps"]),
        ("busy", f"{places} at once, {duration_ms} ms", min(of_function, places * 10.0)),
    ]
    drawn = [
        Drawn(name, words, limit, round(limit * rng.uniform(0.7, 3.0), 1))
        for name, words, limit in limits
    ]
    return stack, _profile(rng, drawn, duration_ms), drawn


def _profile(rng: random.Random, drawn: list[Drawn], duration_ms: int) -> dict[str, Any]:
    phases: list[dict[str, Any]] = []
    for one in drawn:
        phases.append(
            {
                "name": one.phase,
                "duration": PHASE_S,
                "rate": one.rate_rps,
                "scenarios": [one.phase],
            }
        )
        phases.append({"name": f"after-{one.phase}", "pause": REST_S})
    flows = {
        name: {"get": f"/{name}", "name": name} for name in ("stage", "method", "plan", "busy")
    }
    flows["plan"]["headers"] = {"x-api-key": KEY}  # type: ignore[assignment]
    return {
        "version": 1,
        "name": "bench",
        "target": {"api": {"name": "bench"}},
        "sandbox": {"stack": "stack.json"},
        "aws": {"metrics": False, "settle": "3s"},
        "durations": {"busy": f"{duration_ms}ms"},
        "load": {
            "arrivals": rng.choice(["poisson", "uniform"]),
            "seed": rng.randrange(2**32),
            "phases": phases[:-1],
        },
        "scenarios": [{"name": name, "flow": [step]} for name, step in flows.items()],
        "validity": {"max_start_lag": "5s", "max_cpu": "100%"},
    }


def compare(rng: random.Random) -> Iterator[Compared]:
    """One run on one random stack."""
    stack, profile, drawn = draw(rng)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "stack.json").write_text(json.dumps(stack), encoding="utf-8")
        (Path(folder) / "profile.yaml").write_text(json.dumps(profile), encoding="utf-8")
        command = [sys.executable, "-m", "loadgen", "run", "profile.yaml", "--sandbox"]
        finished = subprocess.run(
            [*command, "--json", "-q"], cwd=folder, capture_output=True, text=True, timeout=MOST_S
        )
    document = json.loads(finished.stdout)
    if "prediction" not in document:
        raise SystemExit(f"the run did not end well: {document['errors']}")
    by_name = {phase["name"]: phase for phase in document["prediction"]["phases"]}
    for one in drawn:
        phase = by_name[one.phase]
        yield Compared(
            one,
            phase["throttled_share"],
            phase["found"]["throttled_share"],
            phase["binds"],
            phase["found"]["cause"],
        )


def main() -> int:
    """Prints each phase beside the peer; 1 where a prediction is too far off."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    print(f"seed {asked.seed}, {asked.runs} runs of {PHASE_S} s phases on the sandbox")
    head = ("limit", "offered/s", "measured", "predicted", "1-limit/rate", "layer")
    print("{:<26}{:>10}{:>10}{:>10}{:>13}  {}".format(*head))
    found: list[Compared] = []
    for _ in range(asked.runs):
        for one in compare(rng):
            found.append(one)
            layer = "right" if one.binds == one.found else f"{one.binds}, not {one.found}"
            predicted = "unknown" if one.predicted is None else f"{one.predicted:.1%}"
            print(
                f"{one.drawn.phase:<7}{one.drawn.words:<19}{one.drawn.rate_rps:>10.1f}"
                f"{one.measured:>10.1%}{predicted:>10}{one.drawn.peer:>13.1%}  {layer}"
            )
    return _summary(found)


def _summary(found: list[Compared]) -> int:
    within = sum(one.off <= WANTED for one in found)
    peers = [abs(one.drawn.peer - one.measured) for one in found]
    worst = max(one.off for one in found)
    print(
        f"within 3 points: {within} of {len(found)}, worst {worst:.1%}; "
        f"1 - limit/rate: {sum(off <= WANTED for off in peers)} of {len(found)}, "
        f"worst {max(peers):.1%}"
    )
    print(f"right layer: {sum(one.binds == one.found for one in found)} of {len(found)}")
    return 0 if within == len(found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
