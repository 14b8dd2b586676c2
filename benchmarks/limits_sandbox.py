"""How well `loadgen limits` finds limits that are drawn at random, over HTTP, against the sandbox.

Each run deploys an API with a limit of its own into a sandbox of its own, behind a network with or
without jitter, runs the command as a user does and holds what it says against the truth. Beside it:
the burst as tokens to the first refusal of the overload, as textbooks have it.

    python benchmarks/limits_sandbox.py --runs 40 --jobs 2
    python benchmarks/limits_sandbox.py --runs 5 --kinds "one bucket;quota" --seed 7

A run takes some 45 seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np

from core.aws.session import AwsSession, LocalAccess
from core.local_aws import local_aws
from loadgen.outcome import Outcome
from loadgen.records import read_file, records_path

LAYERS = ("stage", "usage_plan", "method", "usage_plan_method", "account")
MY_KEY, OTHER_KEY = "basic-customer-0000000000001", "basic-customer-0000000000002"
# A range is tight if it is narrower than this on either side.
TIGHT_SHARE = 0.10
_TIMEOUT_S = 240


@dataclass(frozen=True)
class Kind:
    """A way in which a limit is kept: enforcement of the sandbox, and the jitter of the network."""

    name: str
    enforcement: str = "exact"  # {r} and {seed} are filled in
    one_way_ms: float = 0.0
    jitter_ms: float = 0.0
    plain: bool = True  # rate and burst have to be right
    any_layer: bool = False
    least_burst: float = 10.0
    special: str = ""


KINDS = (
    Kind("one bucket", any_layer=True),
    Kind("one bucket, jitter 10 ms", one_way_ms=20, jitter_ms=10, any_layer=True),
    Kind("one bucket, jitter 30 ms", one_way_ms=60, jitter_ms=30, any_layer=True),
    Kind("4 random shards", "shards=4,seed={seed}", least_burst=32),
    Kind("4 random shards, jitter 10 ms", "shards=4,seed={seed}", 20, 10, least_burst=32),
    Kind("16 hashed shards", "shards=16,spread=hashed,seed={seed}", plain=False, least_burst=64),
    Kind(
        "30 % other traffic",
        "background_rps={other},background_on=stage,seed={seed}",
        plain=False,
    ),
    Kind("sync each 200 ms", "shards=4,sync_ms=200,seed={seed}", plain=False),
    Kind("sync 200 ms, forgiven", "shards=4,sync_ms=200,debt=forgiven,seed={seed}", plain=False),
    Kind("fixed window 1 s", "window_ms=1000", plain=False),
    Kind("concurrency", plain=False, special="concurrency"),
    Kind("quota", plain=False, special="quota"),
)


@dataclass(frozen=True)
class Truth:
    """What one run has to find."""

    kind: Kind
    seed: int
    layer: str
    rate_rps: float
    burst: int

    @classmethod
    def drawn(cls, kind: Kind, seed: int) -> Truth:
        """Rate 20 to 300 a second, log-uniform; burst 0.1 to 2 seconds of it."""
        rng = np.random.default_rng(seed)
        rate = round(float(np.exp(rng.uniform(np.log(20), np.log(300)))), 1)
        burst = max(kind.least_burst, rate * rng.uniform(0.1, 2.0))
        layer = LAYERS[int(rng.integers(len(LAYERS)))] if kind.any_layer else "stage"
        return cls(kind, seed, layer, rate, round(burst))

    def stack(self) -> dict[str, Any]:
        """The stack file: the limit at its layer, all others four times as large."""
        limit = {"rate_rps": self.rate_rps, "burst": self.burst}
        large = {"rate_rps": 4 * self.rate_rps, "burst": 4 * self.burst}

        def of(layer: str) -> dict[str, float]:
            return limit if layer == self.layer and not self.kind.special else large

        route: dict[str, Any] = {"method": "GET", "api_key_required": True}
        route |= (
            {"function": "slow"}
            if self.kind.special == "concurrency"
            else {"mock": {"status": 200}}
        )
        first = {"path": "/a", **route}
        plan: dict[str, Any] = {
            "apis": ["shop"],
            "throttle": of("usage_plan"),
            "keys": {"me": MY_KEY, "you": OTHER_KEY},
        }
        if self.layer == "method":
            first["throttle"] = limit
        if self.layer == "usage_plan_method":
            plan["method_throttles"] = {"shop": {"GET /a": limit}}
        if self.kind.special == "quota":
            plan["quota"] = {"limit": int(4 * self.rate_rps + self.burst), "period": "day"}
        others = {"other": 0.3 * self.rate_rps, "seed": self.seed % 10_000}
        account = of("account") if self.layer == "account" else {"rate_rps": 10_000, "burst": 5_000}
        stack: dict[str, Any] = {
            "name": "probe",
            "account": {"throttle": account},
            "apis": {
                "shop": {
                    "kind": "rest",
                    "throttle": of("stage"),
                    "routes": [first, {"path": "/b", **route}],
                }
            },
            "usage_plans": {"basic": plan},
            "enforcement": self.kind.enforcement.format(**others),
        }
        if self.kind.special == "concurrency":
            model = {"duration_ms": {"128": 100}, "init_ms": 0, "hold": True}
            model |= {"response": {"statusCode": 200}}
            places = max(3, round(self.rate_rps / 10))
            stack["functions"] = {"slow": {"model": model, "reserved_concurrency": places}}
        return stack


def profile(kind: Kind) -> dict[str, Any]:
    """A request, the same with another key and on another stage; the other route is derived."""
    key, other = ({"type": "api_key", "value": value} for value in (MY_KEY, OTHER_KEY))
    flow = [{"get": "/a"}]
    return {
        "version": 1,
        "name": "probe",
        "target": {"api": {"name": "shop", "stage": "prod"}},
        "auth": key,
        # A quota that is known is left alone: the probe ends before it.
        "aws": {"discover": kind.special != "quota"},
        "load": {"phases": [{"name": "unused", "duration": 1, "rate": 1}]},
        "scenarios": [
            {"name": "base", "flow": flow},
            {"name": "elsewhere", "stage": "dev", "flow": flow},
            {"name": "somebody", "auth": other, "flow": flow},
        ],
        # A throttle of Lambda is a 500 behind a REST API: whoever knows that says so.
        "outcomes": [
            {"when": {"status": 500}, "outcome": "throttled", "cause": "lambda_concurrency"}
        ],
    }


@dataclass(frozen=True)
class Answer:
    """What one run said, and what it took."""

    truth: Truth
    document: Mapping[str, Any]
    first_refusal: float | None

    def error(self, name: str) -> float | None:
        """The relative error of rate or burst; None without a point estimate."""
        found = (self.document["finding"][name] or {}).get("value")
        true = self.truth.rate_rps if name == "rate_rps" else self.truth.burst
        return None if found is None else found / true - 1

    def covers(self, name: str) -> bool:
        """Whether the interval has the truth in it."""
        found = self.document["finding"][name]
        true = self.truth.rate_rps if name == "rate_rps" else self.truth.burst
        return bool(found) and found["low"] <= true and true <= (found["high"] or np.inf)

    @property
    def within(self) -> bool:
        """Rate within 3 %, burst within 10 % or one token."""
        rate, burst = self.error("rate_rps"), self.error("burst")
        if rate is None or burst is None:
            return False
        return abs(rate) <= 0.03 and abs(burst) * self.truth.burst <= max(
            0.1 * self.truth.burst, 1.0
        )

    @property
    def tight_and_wrong(self) -> bool:
        """Whether a narrow interval leaves the truth out."""
        found = self.document["finding"]["rate_rps"]
        if not found or found["high"] is None or self.truth.kind.special:
            return bool(found) and found["calibrated"]
        narrow = (found["high"] - found["low"]) / 2 < TIGHT_SHARE * self.truth.rate_rps
        return narrow and not self.covers("rate_rps")

    @property
    def admitted_share(self) -> float:
        """Admitted requests without the layer test, of 7 x burst + 15 s x rate."""
        allowed = 7 * self.truth.burst + 15 * self.truth.rate_rps
        return float(self.document["counts"]["base_admitted"] / allowed)


def measured(truth: Truth) -> Answer | None:
    """One run in a sandbox of its own; None, with a line on stderr, where it did not come to be."""
    with tempfile.TemporaryDirectory(prefix="limits-") as name:
        folder = Path(name)
        (folder / "stack.yaml").write_text(json.dumps(truth.stack()), encoding="utf-8")
        (folder / "profile.yaml").write_text(json.dumps(profile(truth.kind)), encoding="utf-8")
        arguments = ["--no-functions", "--stack", str(folder / "stack.yaml")]
        try:
            with local_aws(arguments) as access:
                _second_stage(access, truth)
                _network(access, truth.kind)
                return _run(folder, access, truth)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            print(f"seed {truth.seed}, {truth.kind.name}: {error}", file=sys.stderr)
            return None


def _second_stage(access: LocalAccess, truth: Truth) -> None:
    """A stage dev of the same API in the same plan, with a large throttle."""
    client = AwsSession(local=access).rest_apis()
    api = client.get_rest_apis()["items"][0]["id"]
    deployment = client.get_deployments(restApiId=api)["items"][0]["id"]
    client.create_stage(restApiId=api, stageName="dev", deploymentId=deployment)
    figures = {"rateLimit": 4 * truth.rate_rps, "burstLimit": 4 * truth.burst}
    client.update_stage(
        restApiId=api,
        stageName="dev",
        patchOperations=[
            {"op": "replace", "path": f"/*/*/throttling/{name}", "value": str(value)}
            for name, value in figures.items()
        ],
    )
    plan = client.get_usage_plans()["items"][0]["id"]
    client.update_usage_plan(
        usagePlanId=plan,
        patchOperations=[{"op": "add", "path": "/apiStages", "value": f"{api}:dev"}],
    )


def _network(access: LocalAccess, kind: Kind) -> None:
    if not kind.one_way_ms:
        return
    body = json.dumps({"delay_ms": kind.one_way_ms, "jitter_ms": kind.jitter_ms}).encode()
    url = f"{access.endpoint_url}/_sandbox/network"
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(url, body, headers, method="PUT"), timeout=10) as answer:  # noqa: S310
        answer.read()


def _run(folder: Path, access: LocalAccess, truth: Truth) -> Answer:
    environment = os.environ | {
        "AWS_ENDPOINT_URL": access.endpoint_url,
        "AWS_REGION": access.region,
        "AWS_ACCESS_KEY_ID": access.access_key_id,
        "AWS_SECRET_ACCESS_KEY": access.secret_access_key,
    }
    command = [sys.executable, "-m", "loadgen", "limits", str(folder / "profile.yaml"), "--json"]
    command += ["-q", "--runs", str(folder / "runs"), "--set", f"load.seed={truth.seed}"]
    if truth.layer == "account":
        command.append("--account")
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    document = json.loads(done.stdout or "{}")
    if "finding" not in document:
        raise RuntimeError(f"no answer, code {done.returncode}: {done.stderr.strip()[-500:]}")
    (run,) = (folder / "runs").iterdir()
    return Answer(truth, document, _first_refusal(run, document))


def _first_refusal(run: Path, document: Mapping[str, Any]) -> float | None:
    """Tokens to the first refusal of the overload, less what came in the meantime."""
    numbers = [k for k, one in enumerate(document["phases"]) if one["purpose"] == "overload"]
    if not numbers:
        return None
    rows = read_file(records_path(run, 0))
    rows = np.sort(np.array(rows[rows["phase"] == numbers[-1]]), order="start_us")
    refused = np.flatnonzero(rows["kind"] >> 12 == Outcome.THROTTLED)
    return float(refused[0]) if len(refused) else None


# -- what is printed ------------------------------------------------------------------------------


def report(kind: Kind, answers: Sequence[Answer]) -> None:
    """A block for one kind."""
    n = len(answers)
    print(f"\n{kind.name}: {n} runs")
    if not n:
        return
    said = Counter(one.document["finding"]["kind"] for one in answers)
    print("  kind           " + ", ".join(f"{name} {count}" for name, count in said.most_common()))
    if kind.plain:
        for name, label in (("rate_rps", "rate error"), ("burst", "burst error")):
            errors = [abs(e) for one in answers if (e := one.error(name)) is not None]
            print(f"  {label:<15}{_spread(errors)}, {n - len(errors)} without an estimate")
        peer = [
            abs(one.first_refusal * 2 / 3 / one.truth.burst - 1)
            for one in answers
            if one.first_refusal is not None
        ]
        print(f"  peer's burst   {_spread(peer)} (tokens to the first refusal, at 3 x rate)")
        print(f"  within target  {sum(one.within for one in answers)} of {n}")
        covered = [sum(one.covers(name) for one in answers) for name in ("rate_rps", "burst")]
        print(f"  90 % interval  rate {covered[0] / n:.0%}, burst {covered[1] / n:.0%} covered")
    print(f"  tight, wrong   {sum(one.tight_and_wrong for one in answers)} of {n}")
    right = sum(one.document["binding"]["layer"] == one.truth.layer for one in answers)
    if not kind.special:
        print(f"  layer right    {right} of {n}")
        shares = [one.admitted_share for one in answers]
        print(
            f"  admitted       median {np.median(shares):.2f}, most {max(shares):.2f} of "
            "7 x burst + 15 s x rate"
        )


def _spread(errors: Sequence[float]) -> str:
    if not errors:
        return "none"
    return f"median {np.median(errors):.1%}, 95 % {np.quantile(errors, 0.95):.1%}"


def one_line(answer: Answer) -> str:
    """A run as it ends."""
    truth, found = answer.truth, answer.document["finding"]
    told = [
        f"{found[name]['value'] or found[name]['low']:.1f}" if found[name] else "-"
        for name in ("rate_rps", "burst")
    ]
    binding = answer.document["binding"]["layer"]
    return (
        f"seed {truth.seed:>10} {truth.kind.name:<30} rate {truth.rate_rps:>6} {told[0]:>7} "
        f"burst {truth.burst:>4} {told[1]:>7} {truth.layer:<18}{binding:<18}{found['kind']}"
        + (f" ({answer.document['errors'][0]})" if answer.document["errors"] else "")
    )


def main() -> None:
    """Runs all kinds that are asked for and prints a block for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="of each kind")
    parser.add_argument("--jobs", type=int, default=1, help="sandboxes at once")
    parser.add_argument("--kinds", default="", help="names, separated by ;; all without it")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    given = parser.parse_args()
    wanted = [name.strip() for name in given.kinds.split(";")]
    kinds = [one for one in KINDS if not given.kinds or one.name in wanted]
    if not kinds:
        parser.error(f"--kinds: none of {', '.join(one.name for one in KINDS)}")
    print(f"seed {given.seed}, {given.runs} runs of each kind, {given.jobs} at once")
    truths = [
        Truth.drawn(kind, given.seed + 1000 * number + k)
        for number, kind in enumerate(kinds)
        for k in range(given.runs)
    ]
    answers: list[Answer] = []
    with ThreadPoolExecutor(given.jobs) as pool:
        for answer in pool.map(measured, truths):
            if answer is not None:
                answers.append(answer)
                print(one_line(answer), file=sys.stderr, flush=True)
    for kind in kinds:
        report(kind, [one for one in answers if one.truth.kind == kind])


if __name__ == "__main__":
    main()
