"""How well the sandbox's CPU model follows CPU seconds x 1769 / memory, and that waiting is flat.

A handler burns CPU and says how much by its own process clock; its Duration at each size is
compared with what that amount takes at the size's share. So the speed of this machine, which
changes from second to second, does not enter. The peer is the sandbox with its model off.
About a minute.
"""

from __future__ import annotations

import io
import json
import random
import statistics
import zipfile
from typing import TYPE_CHECKING

from core.aws.report_line import decode_log_tail, parse_report
from core.aws.session import AwsSession
from core.local_aws import local_aws

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

SIZES_MB = (128, 256, 512, 1024, 1769)
CALLS = 12
HANDLER = """
import time

def handler(event, context):
    start = time.process_time()
    end = start + event["cpu_s"]
    while time.process_time() < end:
        sum(range(500))
    time.sleep(event["wait_s"])
    return (time.process_time() - start) * 1000
"""


def deploy(client: LambdaClient) -> dict[int, str]:
    """Publishes the handler at each size; the version numbers by size."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("handler.py", HANDLER)
    client.create_function(
        FunctionName="burn",
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/benchmark",
        Handler="handler.handler",
        Code={"ZipFile": package.getvalue()},
        MemorySize=SIZES_MB[0],
        Timeout=30,
    )
    versions = {}
    for size in SIZES_MB:
        client.get_waiter("function_active_v2").wait(FunctionName="burn")
        client.update_function_configuration(
            FunctionName="burn", MemorySize=size, Description=str(size)
        )
        client.get_waiter("function_updated_v2").wait(FunctionName="burn")
        versions[size] = client.publish_version(FunctionName="burn")["Version"]
    return versions


def measure(cpu_model: str, *, cpu_s: float, wait_s: float) -> dict[int, list[tuple[float, float]]]:
    """(Duration, CPU by the handler's own clock) in ms of warm calls, by size."""
    event = json.dumps({"cpu_s": cpu_s, "wait_s": wait_s}).encode()
    pairs: dict[int, list[tuple[float, float]]] = {size: [] for size in SIZES_MB}
    with local_aws(["--no-functions", "--cpu-model", cpu_model]) as access:
        session = AwsSession(local=access)
        versions = deploy(session.control_lambda())
        client = session.measuring_lambda(function_timeout_s=30, concurrency=1)
        for _ in range(CALLS + 1):
            for size in random.sample(SIZES_MB, len(SIZES_MB)):
                answer = client.invoke(
                    FunctionName="burn", Qualifier=versions[size], Payload=event, LogType="Tail"
                )
                own_ms = float(answer["Payload"].read())
                log = decode_log_tail(answer["LogResult"])
                report = parse_report(log, answer["ResponseMetadata"]["RequestId"])
                if report is not None and not report.cold:
                    pairs[size].append((report.duration_ms, own_ms))
    return pairs


def median_error(pairs: list[tuple[float, float]], size_mb: int, wait_ms: float) -> float:
    """The median of |measured / expected - 1|."""
    errors = [abs(duration / (wait_ms + own_ms * 1769 / size_mb) - 1) for duration, own_ms in pairs]
    return statistics.median(errors)


def main() -> None:
    """Prints the error by size and model."""
    cases = (("CPU 50 ms", 0.05, 0.0), ("CPU 20 ms", 0.02, 0.0), ("waiting 50 ms", 0.0, 0.05))
    header = "".join(f"{size:>8} MB" for size in SIZES_MB)
    print(f"{'median error':30}{header}   ({CALLS} warm calls each)")
    for name, cpu_s, wait_s in cases:
        for cpu_model in ("linear", "off"):
            pairs = measure(cpu_model, cpu_s=cpu_s, wait_s=wait_s)
            cells = "".join(
                f"{median_error(pairs[size], size, wait_s * 1000):>11.1%}" for size in SIZES_MB
            )
            print(f"{name + ', model ' + cpu_model:30}{cells}")


if __name__ == "__main__":
    main()
