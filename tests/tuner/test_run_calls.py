"""Whole runs with rules of their own for calls, against real handlers in the sandbox."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from core.console import Console
from core.errors import ExitCode
from tests.conftest import ROLE, MakeFunction, zipped
from tests.tuner.run_rig import Tune
from tests.tuner.test_lease import state_of
from tuner.analyze import AnalyzeOptions, analyze

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

SECRET = "4111-1111-1111-1111"
# As long as its payload says, and twice as long at 256 MB: by 10, 20 and 50 ms in truth.
HANDLER = """
import os, time
SLOWER = max(1.0, 512 / int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]))
def handler(event, context):
    time.sleep(event["ms"] / 1000 * SLOWER)
    if event.get("fails"):
        raise ValueError(f"no such order: {event['card']}")
    return {"card": event["card"]}
"""


@pytest.fixture
def handler(lambda_client: LambdaClient) -> Iterator[str]:
    name = f"h-{uuid.uuid4().hex[:12]}"
    lambda_client.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="handler.handler",
        Code={"ZipFile": zipped(HANDLER)},
        MemorySize=512,
        Timeout=10,
    )
    lambda_client.get_waiter("function_active_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0}
    )
    yield name
    lambda_client.delete_function(FunctionName=name)


@pytest.fixture
def mixed(tmp_path: Path) -> Callable[..., str]:
    """Writes a file of payloads: `ms` of each by its weight."""

    def write(*parts: tuple[float, float], **more: Any) -> str:
        items = [
            {"payload": {"ms": ms, "card": SECRET, **more}, "weight": weight, "name": f"{ms} ms"}
            for ms, weight in parts
        ]
        path = tmp_path / "mix.json"
        path.write_text(json.dumps(items))
        return str(path)

    return write


def run_folder(runs: Path) -> Path:
    (folder,) = runs.iterdir()
    return folder


def samples_in(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "samples.ndjson").read_text().splitlines()]


def test_the_cost_of_a_mix_and_of_each_payload_is_found(
    tune: Tune, handler: str, mixed: Callable[..., str], tmp_path: Path
) -> None:
    payloads = mixed((10, 6), (20, 2), (50, 2))  # 20 ms on average

    code, document = tune(handler, sizes="256,512", samples=10, payloads_file=payloads)

    assert code == ExitCode.PASS
    at_512 = next(size for size in document["sizes"] if size["memory_mb"] == 512)
    folder = run_folder(tmp_path / "runs")
    # By the durations as they came, which a busy host makes longer.
    own_ms = {
        name: median(
            s["duration_ms"]
            for s in samples_in(folder)
            if (s["payload"], s["memory_mb"], s["cold"]) == (name, 512, False)
        )
        for name in ("10 ms", "20 ms", "50 ms")
    }
    mean_ms = 0.6 * own_ms["10 ms"] + 0.2 * own_ms["20 ms"] + 0.2 * own_ms["50 ms"]
    assert at_512["duration_typical_ms"] == pytest.approx(mean_ms, rel=0.25)
    factors = [payload["factor"] for payload in document["payloads"]]
    assert factors == sorted(factors)
    assert sum(payload["n"] for payload in document["payloads"]) == 20
    by_size = {
        size: [s["payload"] for s in samples_in(folder) if s["memory_mb"] == size]
        for size in (256, 512)
    }
    assert by_size[256] == by_size[512]


def test_a_run_with_a_mix_is_answered_again_as_it_was(
    tune: Tune,
    handler: str,
    mixed: Callable[..., str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, before = tune(handler, sizes="256,512", samples=5, payloads_file=mixed((5, 1), (15, 1)))
    folder = run_folder(tmp_path / "runs")

    analyze(
        AnalyzeOptions(folder, None, None, None, None, None, None, None, None, ()),
        Console(json_output=True),
    )

    again = json.loads(capsys.readouterr().out)
    assert again["payloads"] == before["payloads"]
    assert again["sizes"] == before["sizes"]


def test_no_payload_is_in_anything_that_a_run_writes_or_says(
    tune: Tune, handler: str, mixed: Callable[..., str], tmp_path: Path
) -> None:
    payloads = mixed((1, 1), (2, 1), fails=True)

    code, document = tune(
        handler,
        sizes="512",
        samples=5,
        payloads_file=payloads,
        skip_trial=True,
        exports=(
            f"html={tmp_path / 'page.html'}",
            f"md={tmp_path / 'page.md'}",
        ),
    )

    assert code == ExitCode.INVALID
    assert "no such order: [payload]" in json.dumps(document)
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "mix.json"]
    assert {"page.html", "page.md", "result.json", "samples.ndjson"} <= {p.name for p in written}
    assert [path for path in written if SECRET in path.read_text(errors="replace")] == []


def test_an_allowed_error_counts_and_is_told_of(
    tune: Tune, handler: str, mixed: Callable[..., str]
) -> None:
    code, document = tune(
        handler,
        sizes="256,512",
        samples=5,
        payloads_file=mixed((1, 1), fails=True),
        allow_errors=("ValueError",),
    )

    assert code == ExitCode.PASS
    assert [size["n"] for size in document["sizes"]] == [5, 5]
    assert any("12 of 12 calls failed with ValueError" in note for note in document["notes"])
    assert document["calls"]["allowed_errors"] == ["ValueError"]


def test_outputs_are_kept_in_the_folder_of_the_run_and_nowhere_else(
    tune: Tune, handler: str, mixed: Callable[..., str], tmp_path: Path
) -> None:
    tune(handler, sizes="256,512", samples=1, payloads_file=mixed((1, 1)), keep_outputs=True)

    folder = run_folder(tmp_path / "runs")
    lines = [json.loads(line) for line in (folder / "outputs.ndjson").read_text().splitlines()]
    assert [json.loads(line["output"]) for line in lines] == [{"card": SECRET}] * 4
    assert (folder / "outputs.ndjson").stat().st_mode & 0o777 == 0o600
    assert SECRET not in (folder / "result.json").read_text()


def test_cold_starts_only_take_a_version_each_and_leave_none(
    tune: Tune, client: LambdaClient, make_function: MakeFunction, tmp_path: Path
) -> None:
    name = make_function({"duration_ms": {"128": 40, "512": 10}, "init_ms": 100})
    before = state_of(client, name)

    code, document = tune(name, sizes="128,512", cold_only=True)

    assert code == ExitCode.PASS
    small, large = document["sizes"]
    assert [(s["n"], s["n_cold"]) for s in (small, large)] == [(5, 5), (5, 5)]
    assert small["duration_typical_ms"] == pytest.approx(140, abs=1)
    assert large["duration_typical_ms"] == pytest.approx(110, abs=1)
    versions = [sample["version"] for sample in samples_in(run_folder(tmp_path / "runs"))]
    assert len(set(versions)) == len(versions) == 10
    assert state_of(client, name) == before


def test_a_test_run_says_of_each_size_whether_it_answers(
    tune: Tune, client: LambdaClient, make_function: MakeFunction
) -> None:
    name = make_function({"duration_ms": {"128": 5}, "fails_below_mb": 256, "failure": "oom"})
    before = state_of(client, name)

    code, document = tune(name, sizes="128,256,512", test_run=True)

    assert code == ExitCode.FAILED
    assert (document["verdict"], document["recommendation"]) == ("fail", None)
    assert document["spent"]["invocations"] == 3
    assert [bool(size["failure"]) for size in document["sizes"]] == [True, False, False]
    assert document["errors"] == [
        "128\N{NO-BREAK SPACE}MB does not answer: out of memory (1 of 1 calls)"
    ]
    assert state_of(client, name) == before


def test_a_test_run_passes_where_every_size_answers(
    tune: Tune, make_function: MakeFunction
) -> None:
    code, document = tune(make_function(), sizes="256,512", test_run=True)

    assert (code, document["verdict"], document["recommendation"]) == (0, "pass", None)


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_a_share_of_the_samples_is_left_out_at_each_end(
    tune: Tune, make_function: MakeFunction, share: float
) -> None:
    name = make_function({"duration_ms": {"128": 9}, "noise": {"log_sigma": 0.5}})

    _, document = tune(name, sizes="256,512", samples=10, discard=share)

    size = document["sizes"][0]
    assert size["n"] == 10
    middle = size["duration_ms"]["p50"]
    assert (abs(size["duration_typical_ms"] - middle) < 0.01) == (share == 0.4)
    assert document["calls"]["discard_share"] == share
