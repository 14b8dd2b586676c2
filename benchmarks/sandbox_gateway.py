"""What the sandbox's API Gateway carries, beside a bare asyncio server and nginx.

Run: python benchmarks/sandbox_gateway.py [--runs N] [--seconds S]

wrk (Debian's package) asks each server in turn, over and over, with keep-alive connections:

- bare: asyncio + httptools with one fixed answer, the floor of what Python can do here;
- nginx: one worker with one fixed answer, where it is installed;
- mock: a REST API's mock integration, with a stage throttle, an account throttle and metrics, and
  once more with an access log of 23 variables;
- 429: the same with a method throttle of one request a second: nearly all are refused;
- 403: the same with an API key that the request does not have;
- Lambda proxy: a REST and an HTTP API before a real Python handler in real processes, and before
  a modelled function that has none.

The share is that of the bare server in the same round, and the median of all rounds: machines are
noisy. At the end stands what the sandbox added to each request itself, from its metric Overhead,
apart from IntegrationLatency. The client shares the cores with all of them.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
from servers import BARE, SANDBOX_UP, child, nginx

CONNECTIONS = 32
LAMBDA_CONNECTIONS = 12
# What is asked for: the share of the bare server that mocks and refusals reach, and Lambda
# proxies a second through real processes on two cores.
WANTED_SHARE = 0.40
WANTED_LAMBDA_RPS = 3_000

STACK = """
name: benchmark
account: {throttle: {rate_rps: 1000000, burst: 1000000}}
functions:
  real: {folder: real, memory_mb: 1769}
  modelled:
    model:
      duration_ms: {"128": 0.01}
      init_ms: 0
      response: {statusCode: 200, body: ok}
apis:
  bench:
    kind: rest
    throttle: {rate_rps: 1000000, burst: 1000000}
    access_log: false
    routes:
      - {path: /mock, method: GET, mock: {body: {ok: true}}}
      - {path: /throttled, method: GET, mock: {body: x}, throttle: {rate_rps: 1, burst: 1}}
      - {path: /keyed, method: GET, mock: {body: x}, api_key_required: true}
      - {path: /real, method: GET, function: real}
      - {path: /modelled, method: GET, function: modelled}
  logged:
    kind: rest
    access_log: true
    routes:
      - {path: /mock, method: GET, mock: {body: {ok: true}}}
  benchhttp:
    kind: http
    access_log: false
    routes:
      - {path: /real, method: GET, function: real}
"""
HANDLER = """
ANSWER = {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"ok":1}'}

def handler(event, context):
    return ANSWER
"""


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked, and how."""

    name: str
    url: str
    connections: int
    status: int  # what nearly all answers must have


@dataclass(frozen=True, slots=True)
class Round:
    """What one target carried in one round."""

    rps: float
    p50_ms: float
    p99_ms: float


def ask(target: Target, seconds: float) -> Round:
    """One run of wrk against a target.

    Raises:
        RuntimeError: the answers were not the ones that are to be measured.
    """
    command = ["wrk", "-t1", f"-c{target.connections}", f"-d{seconds:g}s", "--latency", target.url]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", shown)
    requests = int(re.search(r"(\d+) requests in", shown)[1])  # type: ignore[index]
    failed = int(refused[1]) if refused else 0
    share = failed / requests if target.status == 200 else (requests - failed) / requests
    if share > 0.001 or "Socket errors" in shown:
        raise RuntimeError(f"{target.name}: {failed} of {requests} answers were errors\n{shown}")
    return Round(
        rps=float(re.search(r"Requests/sec:\s+([\d.]+)", shown)[1]),  # type: ignore[index]
        p50_ms=_latency_ms(shown, "50%"),
        p99_ms=_latency_ms(shown, "99%"),
    )


def _latency_ms(shown: str, percentile: str) -> float:
    found = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)\b", shown)
    if found is None:
        return float("nan")
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


def targets(bare: str, other: str | None, apis: dict[str, str]) -> list[Target]:
    """What is asked in each round; the bare server first."""
    rest, http, logged = apis["bench"], apis["benchhttp"], apis["logged"]
    asked = [Target("bare asyncio + httptools", bare, CONNECTIONS, 200)]
    if other is not None:
        asked.append(Target("nginx, one worker", other, CONNECTIONS, 200))
    return [
        *asked,
        Target("mock integration", f"{rest}/mock", CONNECTIONS, 200),
        Target("mock, with an access log", f"{logged}/mock", CONNECTIONS, 200),
        Target("refused: throttled, 429", f"{rest}/throttled", CONNECTIONS, 429),
        Target("refused: no API key, 403", f"{rest}/keyed", CONNECTIONS, 403),
        Target("Lambda proxy, REST, process", f"{rest}/real", LAMBDA_CONNECTIONS, 200),
        Target("Lambda proxy, HTTP API, process", f"{http}/real", LAMBDA_CONNECTIONS, 200),
        Target("Lambda proxy, REST, modelled", f"{rest}/modelled", LAMBDA_CONNECTIONS, 200),
    ]


def print_table(asked: list[Target], rounds: dict[str, list[Round]]) -> None:
    """One row a target: medians over the rounds, and the share of the bare server."""
    bare = rounds[asked[0].name]
    print(f"{'':33}{'conns':>6}{'requests/s':>12}{'of bare':>9}{'p50 ms':>8}{'p99 ms':>8}")
    for target in asked:
        own = rounds[target.name]
        share = statistics.median(a.rps / b.rps for a, b in zip(own, bare, strict=True))
        print(
            f"{target.name:33}{target.connections:>6}"
            f"{statistics.median(r.rps for r in own):>12,.0f}{share:>9.0%}"
            f"{statistics.median(r.p50_ms for r in own):>8.2f}"
            f"{statistics.median(r.p99_ms for r in own):>8.2f}"
        )


def print_overhead(endpoint_url: str, apis: dict[str, dict[str, str]]) -> None:
    """What the sandbox added itself to the requests, from its own metrics."""
    print()
    for title, name, integration in (
        ("REST API, nearly all mocks and refusals", "bench", {"ApiName": "bench"}),
        ("HTTP API, processes only", "benchhttp", {"ApiId": apis["benchhttp"]["id"]}),
    ):
        place = {"ApiId": apis[name]["id"], "Stage": apis[name]["stage"]}
        overhead = percentiles(endpoint_url, "Sandbox", "Overhead", place)
        latency = percentiles(endpoint_url, "AWS/ApiGateway", "IntegrationLatency", integration)
        print(
            f"{title}: overhead of the sandbox p50 {overhead[0]:.3f} ms, p99 {overhead[1]:.3f} ms; "
            f"IntegrationLatency p50 {latency[0]:.0f} ms, p99 {latency[1]:.0f} ms"
        )


def percentiles(
    endpoint_url: str, namespace: str, metric: str, dimensions: dict[str, str]
) -> list[float]:
    """p50 and p99 of a metric over the whole run, from GetMetricData."""
    client = boto3.client(
        "cloudwatch",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",  # noqa: S106 - the sandbox's own
    )
    now = datetime.now(UTC)
    shown = {
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    answer = client.get_metric_data(
        MetricDataQueries=[
            {"Id": stat, "MetricStat": {"Metric": shown, "Period": 86_400, "Stat": stat}}  # type: ignore[list-item]
            for stat in ("p50", "p99")
        ],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=2),
        ScanBy="TimestampAscending",
    )
    return [row["Values"][0] for row in answer["MetricDataResults"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed: apt-get install wrk")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "real").mkdir()
        (folder / "real" / "app.py").write_text(HANDLER)
        (folder / "real" / "function.json").write_text(
            '{"runtime": "python3", "handler": "app.handler"}'
        )
        (folder / "stack.yaml").write_text(STACK)
        bare = stack.enter_context(child(*BARE))
        other = stack.enter_context(nginx(folder))
        sandbox = stack.enter_context(child(*SANDBOX_UP, "--stack", str(folder / "stack.yaml")))
        apis = {api["name"]: api for api in sandbox["apis"]}
        asked = targets(bare["endpoint_url"], other, {name: it["url"] for name, it in apis.items()})
        for target in asked:
            ask(target, 3.0)  # warm: processes, pages, connections
        rounds: dict[str, list[Round]] = {target.name: [] for target in asked}
        for _ in range(options.runs):
            for target in asked:
                rounds[target.name].append(ask(target, options.seconds))
        cores = os.cpu_count()
        print(f"medians of {options.runs} rounds of {options.seconds:g} s on {cores} cores\n")
        print_table(asked, rounds)
        print_overhead(sandbox["endpoint_url"], apis)
        print(
            f"wanted: {WANTED_SHARE:.0%} of bare for mock and refusals, "
            f"{WANTED_LAMBDA_RPS:,} Lambda proxies/s through processes"
        )


if __name__ == "__main__":
    main()
