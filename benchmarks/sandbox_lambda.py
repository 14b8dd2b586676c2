"""What the sandbox adds to an invocation, as boto3 sees it.

Run: python benchmarks/sandbox_lambda.py [--runs N]

Two servers answer the same boto3 client in turn. The sandbox runs a real handler in a process, at
1,769 MB, and a modelled function without one, so that the API is seen apart from the processes. A
bare asyncio + httptools server gives one fixed answer: the floor, which is boto3 itself and the
loopback interface. Overhead is the client's wall time less the Duration of the REPORT line. Each
figure is the median over the runs.
"""

from __future__ import annotations

import argparse
import base64
import io
import re
import statistics
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from servers import BARE, SANDBOX_UP, child

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

SEQUENTIAL = 500
CONCURRENT = 800
THREADS = 8
# The shortest Duration that there is, and nothing waits for it: what remains is overhead.
MODEL = '{"duration_ms": {"128": 0.01}, "init_ms": 0, "response": {"ok": true}}'
DURATION = re.compile(rb"\tDuration: ([0-9.]+) ms")


@contextmanager
def url_of(*arguments: str) -> Iterator[str]:
    """The URL of a server while it runs."""
    with child(*arguments) as ready:
        yield str(ready["endpoint_url"])


@dataclass(frozen=True, slots=True)
class Figures:
    """One run against one server."""

    p50_ms: float
    p99_ms: float
    sequential_per_s: float
    concurrent_per_s: float


def measure(client: LambdaClient, function: str) -> Figures:
    """Invokes one after the other, then from several threads."""
    overheads_ms = []
    began_s = time.perf_counter()
    for _ in range(SEQUENTIAL):
        overheads_ms.append(overhead_ms(client, function))
    sequential_s = time.perf_counter() - began_s
    began_s = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(lambda _: overhead_ms(client, function), range(CONCURRENT)):
            pass
    concurrent_s = time.perf_counter() - began_s
    return Figures(
        p50_ms=statistics.median(overheads_ms),
        p99_ms=statistics.quantiles(overheads_ms, n=100)[98],
        sequential_per_s=SEQUENTIAL / sequential_s,
        concurrent_per_s=CONCURRENT / concurrent_s,
    )


def overhead_ms(client: LambdaClient, function: str) -> float:
    """The time of one call less the Duration that its log reports, if it reports one."""
    began_s = time.perf_counter()
    answer = client.invoke(FunctionName=function, Payload=b"{}", LogType="Tail")
    answer["Payload"].read()
    wall_ms = (time.perf_counter() - began_s) * 1000
    found = DURATION.search(base64.b64decode(answer.get("LogResult", "")))
    return wall_ms - (float(found[1]) if found else 0.0)


def client_of(url: str) -> LambdaClient:
    """A client with a connection for each thread."""
    return boto3.client(
        "lambda",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",  # noqa: S106 - any will do
        config=Config(max_pool_connections=THREADS, retries={"total_max_attempts": 1}),
    )


def create_functions(client: LambdaClient) -> None:
    """The same trivial handler twice: `process` runs it, `modelled` has no process."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("quick.py", "def handler(event, context):\n    return {'ok': True}\n")
    variables = {"process": {}, "modelled": {"SANDBOX_MODEL": MODEL}}
    for name, environment in variables.items():
        client.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler="quick.handler",
            Role="arn:aws:iam::000000000000:role/any",
            Code={"ZipFile": package.getvalue()},
            MemorySize=1769,
            Environment={"Variables": environment},
        )


def show(name: str, runs: list[Figures]) -> None:
    """The medians of all runs on one line."""

    def median(field: str) -> float:
        return statistics.median(getattr(run, field) for run in runs)

    print(
        f"{name:8} {median('p50_ms'):8.3f} {median('p99_ms'):8.3f} "
        f"{median('sequential_per_s'):14.0f} {median('concurrent_per_s'):14.0f}"
    )


def main() -> None:
    """Measures both servers in turn, so that a busy moment hits both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    runs = arguments.runs
    with ExitStack() as stack:
        sandbox = client_of(stack.enter_context(url_of(*SANDBOX_UP, "--update-ms", "0")))
        bare = client_of(stack.enter_context(url_of(*BARE)))
        create_functions(sandbox)
        targets = {"process": sandbox, "modelled": sandbox, "floor": bare}
        results: dict[str, list[Figures]] = {name: [] for name in targets}
        for _ in range(runs):
            for name, client in targets.items():
                results[name].append(measure(client, name))
        print(f"overhead of a warm invocation, medians of {runs} runs, {THREADS} threads")
        print(f"{'':8} {'p50 ms':>8} {'p99 ms':>8} {'sequential/s':>14} {'concurrent/s':>14}")
        for name, figures in results.items():
            show(name, figures)
        for client in (sandbox, bare):
            client.close()


if __name__ == "__main__":
    main()
