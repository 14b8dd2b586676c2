"""`tune` from the command line: known truth found, nothing left behind, mistakes named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.session import AwsSession, LocalAccess
from core.errors import ExitCode
from core.local_aws import local_aws
from tests.conftest import MakeFunction
from tests.system.conftest import Command, CommandHere, Finished
from tests.tuner.test_lease import state_of
from tuner.sample import read_samples

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

pytestmark = pytest.mark.system

SIZES = ("128", "256", "512", "1024", "1769", "3008")


@pytest.fixture(scope="module")
def local_access() -> Iterator[LocalAccess]:
    """A sandbox where nothing is waited for; how `tune` waits is for the tests of its lease."""
    with local_aws(["--update-ms", "0"]) as access:
        yield access


@pytest.fixture(scope="module")
def lambda_client(local_access: LocalAccess) -> Iterator[LambdaClient]:
    """A control client for that sandbox."""
    client = AwsSession(local=local_access).control_lambda()
    yield client
    client.close()


def curve(*durations_ms: float, sigma: float = 0.01) -> dict[str, Any]:
    """A model with these true durations at the default sizes."""
    return {
        "duration_ms": dict(zip(SIZES, durations_ms, strict=True)),
        "noise": {"log_sigma": sigma},
        "init_ms": 120,
        "seed": 7,
    }


@pytest.mark.parametrize(
    ("model", "arguments", "best"),
    [
        pytest.param(curve(60, 60, 60, 60, 60, 60), [], 128, id="waiting"),
        pytest.param(curve(4000, 1500, 500, 260, 240, 230), [], 512, id="a valley"),
        pytest.param(curve(900, 440, 215, 95, 60, 55), [], 1024, id="a valley further up"),
        pytest.param(curve(900, 450, 225, 112, 65, 50), ["--objective", "speed"], 3008, id="speed"),
        pytest.param(
            {**curve(500, 300, 200, 150, 120, 100), "fails_below_mb": 512}, [], 512, id="starved"
        ),
    ],
)
def test_the_known_best_size_is_found_and_the_function_is_as_before(
    command: Command,
    make_function: MakeFunction,
    lambda_client: LambdaClient,
    model: dict[str, Any],
    arguments: list[str],
    best: int,
) -> None:
    name = make_function(model, description="takes orders")
    before = state_of(lambda_client, name)

    fixed = ("--samples", "10", "--parallel", "6")
    finished = command.run("tuner", name, "--json", *fixed, *arguments)

    assert finished.code == ExitCode.PASS, finished.err
    assert finished.document["recommendation"]["memory_mb"] == best
    assert state_of(lambda_client, name) == before


def test_the_document_has_what_pipelines_read(
    command: Command, make_function: MakeFunction
) -> None:
    name = make_function(curve(400, 200, 100, 52, 50, 50))

    finished = command.run_anew("tuner", name, "--json", "--samples", "5", "--seed", "3")
    document = finished.document

    assert document["recommendation"]["memory_mb"] in document["recommendation"]["tied_mb"]
    assert document["current"]["memory_mb"] == 512
    assert [size["memory_mb"] for size in document["sizes"]] == [int(size) for size in SIZES]
    for size in document["sizes"]:
        assert size["n"] == 5
        assert size["n_cold"] == 1
        assert size["duration_ms"]["p50"] <= size["duration_ms"]["p95"]
        low, high = size["cost_interval"]
        assert low <= size["cost_usd_per_million"] <= high
    assert document["model"]["family"]
    assert document["model"]["loo_error"] >= 0
    assert document["spent"]["invocations"] == 1 + 36  # the trial, and 6 at each size
    assert document["spent"]["gb_seconds"] > 0
    assert document["spent"]["usd"] > 0
    assert (document["verdict"], document["exit_code"]) == ("pass", 0)


def test_measured_figures_are_the_true_ones(command: Command, make_function: MakeFunction) -> None:
    name = make_function(curve(400, 200, 100, 52, 50, 50, sigma=0.001))

    fixed = ("--samples", "10", "--parallel", "6")
    sizes = command.run("tuner", name, "--json", *fixed).document["sizes"]

    medians = [size["duration_ms"]["p50"] for size in sizes]
    assert medians == pytest.approx([400, 200, 100, 52, 50, 50], rel=0.005)
    # 512 MB for a billed 100-101 ms, and the request fee.
    assert sizes[2]["cost_usd_per_million"] == pytest.approx(1.038, rel=0.02)
    assert sizes[0]["cold_p50_ms"] == pytest.approx(520, rel=0.02)


def test_results_samples_and_exports_are_on_disk_and_can_be_asked_again(
    command: Command, here: CommandHere, make_function: MakeFunction
) -> None:
    name = make_function(curve(900, 450, 225, 112, 65, 50))
    exports = ["html=page.html", "md=page.md", "csv=table.csv", "json=copy.json"]
    arguments = [word for spec in exports for word in ("--export", spec)]

    finished = command.run("tuner", name, "--samples", "10", *arguments)

    assert finished.code == 0, finished.err
    (folder,) = (command.folder / "runs").iterdir()
    assert name in folder.name
    assert len(read_samples(folder)) == 66
    result = json.loads((folder / "result.json").read_text())
    assert result == json.loads((command.folder / "copy.json").read_text())
    assert result["provenance"]["payload_sha256"]
    assert "Content-Security-Policy" in (command.folder / "page.html").read_text()
    assert "128" in (command.folder / "table.csv").read_text()

    cost = command.run("tuner", "analyze", str(folder), "--json", AWS_ENDPOINT_URL="")
    speed = here.run(
        "tuner", "analyze", str(folder), "--objective", "speed", "--json", AWS_ENDPOINT_URL=""
    )
    assert cost.document["recommendation"] == result["recommendation"]
    assert speed.document["recommendation"]["memory_mb"] == 3008
    assert json.loads((folder / "result.json").read_text()) == result


def test_the_table_fits_80_columns(command: Command, make_function: MakeFunction) -> None:
    name = make_function(curve(14000, 7000, 3500, 1800, 1060, 1050, sigma=0.2))

    out = command.run("tuner", name, "--samples", "10", "--parallel", "6").out

    table = out[out.index("MB") :].splitlines()
    assert any(line.strip().startswith("3008") for line in table)
    rows = [line for line in out.splitlines() if line.strip()[:1].isdigit() or "─" in line]
    assert max(len(line) for line in rows) <= 80


def test_a_dry_run_changes_nothing(
    command: Command, make_function: MakeFunction, lambda_client: LambdaClient
) -> None:
    name = make_function()
    revision = lambda_client.get_function_configuration(FunctionName=name)["RevisionId"]

    words = ("--samples", "10", "--max-memory", "1024")
    finished = command.run("tuner", name, "--dry-run", "--json", *words)

    assert finished.code == 0
    plan = finished.document["plan"]
    assert plan["kind"] == "fixed"
    assert plan["sizes_mb"] == [128, 256, 512, 1024]
    assert plan["invocations"] == 44
    assert 0 < plan["cost_usd"]["least"] < plan["cost_usd"]["most"]
    assert not (command.folder / "runs").exists()
    after = lambda_client.get_function_configuration(FunctionName=name)["RevisionId"]
    assert after == revision


def test_a_run_that_may_be_dear_is_not_started_unasked(
    command: Command, make_function: MakeFunction, lambda_client: LambdaClient
) -> None:
    name = make_function(timeout_s=900)
    before = state_of(lambda_client, name)
    arguments = ("tuner", name, "--samples", "30", "--sizes", "1769,3008")

    refused = command.run(*arguments)

    assert refused.code == ExitCode.REFUSED
    assert "the run may cost up to" in refused.err
    assert "--yes" in refused.err
    assert state_of(lambda_client, name) == before
    assert command.run(*arguments, "--yes", "--parallel", "6").code == 0


def test_only_lambda_is_indispensable(command: Command, make_function: MakeFunction) -> None:
    name = make_function(curve(60, 60, 60, 60, 60, 60))

    finished = command.run(
        "tuner",
        name,
        "--json",
        "--samples",
        "5",
        AWS_ENDPOINT_URL="",
        AWS_ENDPOINT_URL_LAMBDA=command.environment["AWS_ENDPOINT_URL"],
        AWS_ENDPOINT_URL_STS="http://127.0.0.1:9",
    )

    assert finished.code == 0, finished.err
    assert finished.document["function"]["account"] is None
    assert any("account is unknown" in note for note in finished.document["notes"])


def test_a_function_that_always_fails_is_an_invalid_measurement(
    command: Command, make_function: MakeFunction, lambda_client: LambdaClient
) -> None:
    name = make_function({**curve(60, 60, 60, 60, 60, 60), "fails_below_mb": 10240})
    before = state_of(lambda_client, name)

    finished = command.run("tuner", name, "--samples", "10", "--json")

    assert finished.code == ExitCode.INVALID
    assert finished.document["verdict"] == "invalid"
    assert "trial: today's size, " in finished.err
    assert "no size could be measured: out of memory" in finished.err
    assert finished.document["spent"]["invocations"] == 1 + 12
    assert state_of(lambda_client, name) == before


def test_json_logs_are_read_as_well(command: Command, make_function: MakeFunction) -> None:
    name = make_function(
        curve(400, 200, 100, 52, 50, 50, sigma=0.001), LoggingConfig={"LogFormat": "JSON"}
    )

    document = command.run("tuner", name, "--samples", "5", "--json").document

    assert [size["n"] for size in document["sizes"]] == [5] * 6
    assert document["sizes"][2]["duration_ms"]["p50"] == pytest.approx(100, rel=0.005)
    assert document["sizes"][2]["cold_p50_ms"] == pytest.approx(220, rel=0.02)


def test_sizes_beyond_the_accounts_limit_are_left_out_and_said(tmp_path: Path) -> None:
    with local_aws(["--max-memory-mb", "3008"]) as access:
        command = Command(access, tmp_path)
        finished = command.run(
            "tuner", "lookup", "--sizes", "1024,3008,5308", "--samples", "5", "--json"
        )

    assert finished.code == 0, finished.err
    by_size = {size["memory_mb"]: size for size in finished.document["sizes"]}
    assert by_size[3008]["n"] == 5
    assert by_size[5308]["n"] == 0
    assert "less than or equal to 3008" in by_size[5308]["failure"]


def test_reserved_concurrency_of_zero_ends_the_run_at_once(
    command: Command, make_function: MakeFunction, lambda_client: LambdaClient
) -> None:
    name = make_function()
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    before = state_of(lambda_client, name)

    finished = command.run("tuner", name, "--json")

    assert finished.code == ExitCode.REFUSED
    assert "its reserved concurrency is 0" in finished.err
    assert state_of(lambda_client, name) == before
    assert not (command.folder / "runs").exists()


def test_throttled_calls_are_waited_out_and_never_counted(
    command: Command, make_function: MakeFunction, lambda_client: LambdaClient
) -> None:
    held = {**curve(30, 30, 30, 30, 30, 30, sigma=0.0), "hold": True}
    name = make_function(held)
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)

    words = ("--sizes", "128,1024", "--samples", "5", "--parallel", "3")
    finished = command.run("tuner", name, *words, "--json")

    assert finished.code == 0, finished.err
    assert finished.document["spent"]["invocations"] == 1 + 12
    assert all(size["n_failed"] == 0 for size in finished.document["sizes"])


def test_a_sandbox_of_its_own_needs_none_of_the_users_aws_settings(command: Command) -> None:
    finished = command.run_anew(
        *("tuner", "--sandbox", "lookup", "--sizes", "128,256", "--samples", "5"),
        AWS_PROFILE="nope",
        AWS_CONFIG_FILE=__file__,
        AWS_REGION="",
        AWS_ACCESS_KEY_ID="",
        AWS_SECRET_ACCESS_KEY="",
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_ENDPOINT_URL_LAMBDA="http://127.0.0.1:9",
        HTTP_PROXY="http://127.0.0.1:9",
    )

    assert finished.code == 0, finished.err


def test_what_the_function_says_of_its_failure_is_passed_on(command: Command) -> None:
    wrong = ("thumbnail", "--payload-json", '"no event"', "--sizes", "512,1024", "--json")
    said = "AttributeError: 'str' object has no attribute 'get'"

    tried = command.run("tuner", *wrong)
    measured = command.run("tuner", *wrong, "--skip-trial")

    assert (tried.code, measured.code) == (ExitCode.INPUT, ExitCode.INVALID)
    assert said in tried.err
    assert "give the event that it expects with --payload" in tried.err
    assert said in measured.err


def test_too_few_samples_are_inconclusive(command: Command, make_function: MakeFunction) -> None:
    finished = command.run("tuner", make_function(), "--samples", "2", "--json")

    assert finished.code == ExitCode.INCONCLUSIVE
    assert finished.document["verdict"] == "inconclusive"


def test_a_payload_from_the_command_line_stays_out_of_the_results(
    command: Command, make_function: MakeFunction
) -> None:
    secret = "4111-1111-1111-1111"
    name = make_function()

    finished = command.run(
        "tuner", name, "--payload-json", json.dumps({"card": secret}), "--samples", "5", "--json"
    )

    assert finished.code == 0, finished.err
    written = [path.read_text() for path in command.folder.rglob("*") if path.is_file()]
    assert written
    assert not any(secret in text for text in [*written, finished.out, finished.err])


MISTAKES = [
    pytest.param(["no-such-fn"], {}, 2, "function 'no-such-fn': not found in us-east-1", id="name"),
    pytest.param(
        ["FN"],
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
        1,
        "Unable to locate credentials",
        id="no credentials",
    ),
    pytest.param(["FN"], {"AWS_REGION": ""}, 2, "no AWS region is set", id="no region"),
    pytest.param(["FN", "--profile", "nope"], {}, 2, "profile 'nope': not found", id="profile"),
    pytest.param(["FN"], {"AWS_PROFILE": "nope"}, 2, "profile 'nope': not found", id="profile 2"),
    pytest.param(
        ["FN"],
        {"AWS_CONFIG_FILE": __file__},
        2,
        "could not read the AWS configuration",
        id="configuration",
    ),
    pytest.param(
        ["FN", "--payload-json", "{x"], {}, 2, "--payload-json:1:2: expected a JSON", id="payload"
    ),
    pytest.param(["FN", "--payload", "gone.json"], {}, 2, "gone.json: could not read", id="file"),
    pytest.param(["FN", "--sizes", "64"], {}, 2, "--sizes: expected whole MB", id="size 64"),
    pytest.param(["FN", "--sizes", "20000"], {}, 2, "(got 20000)", id="size 20000"),
    pytest.param(["FN", "--samples", "0"], {}, 2, "--samples: expected 1 to", id="samples"),
    pytest.param(["FN", "--seed", "-1"], {}, 2, "--seed: expected 0 to", id="seed"),
    pytest.param(
        ["FN", "--payload-json", "\udcff"], {}, 2, "in UTF-8 (byte 0:", id="payload, odd bytes"
    ),
    pytest.param(
        ["FN", "--payload-json", "[NaN]"], {}, 2, "--payload-json:1:2: expected", id="payload NaN"
    ),
    pytest.param(["FN", "--parallel", "0"], {}, 2, "--parallel: expected 1 to", id="parallel"),
    pytest.param(["FN", "--objective", "fast"], {}, 2, "--objective: expected one", id="objective"),
    pytest.param(["FN", "--weight", "0.5"], {}, 2, "--weight: only used with", id="weight"),
    pytest.param(["FN", "--export", "pdf=x"], {}, 2, "pdf", id="export kind"),
    pytest.param(["FN", "--export", "html=no/dir.html"], {}, 2, "no", id="export folder"),
    pytest.param(["FN:live"], {}, 2, "alias 'live' of arn:aws:lambda:", id="alias"),
    pytest.param(
        ["FN", "--region", "mx-central-1"],
        {},
        2,
        "no Lambda price is known for region 'mx-central-1'",
        id="no price",
    ),
    pytest.param(["FN", "--price-file", "gone.json"], {}, 2, "gone.json: could not", id="prices"),
    pytest.param(
        ["FN"], {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 1, "127.0.0.1:9", id="unreachable"
    ),
    pytest.param(["FN"], {"AWS_ENDPOINT_URL": "no-url"}, 2, "no-url", id="endpoint"),
    pytest.param(["analyze", "gone"], {}, 2, "gone", id="analyze nothing"),
    pytest.param(["import", "gone"], {}, 2, "could not read gone", id="import nothing"),
    pytest.param(["--samples", "5"], {}, 2, "FUNCTION: missing", id="no function"),
    pytest.param(
        ["--power-tuning", "gone.json"], {}, 2, "gone.json: could not read it", id="no input file"
    ),
]


def test_an_input_file_of_power_tuning_names_function_and_plan(
    here: CommandHere, command: Command, lambda_client: LambdaClient, make_function: MakeFunction
) -> None:
    arn = lambda_client.get_function(FunctionName=make_function())["Configuration"]["FunctionArn"]
    values = {"lambdaARN": arn, "num": 6, "powerValues": [256, 512], "strategy": "speed"}
    (command.folder / "in.json").write_text(json.dumps(values))

    finished = here.run(
        "tuner", "--power-tuning", "in.json", "--samples", "7", "--dry-run", "--json"
    )

    assert finished.code == ExitCode.PASS, finished.err
    assert finished.document["plan"]["sizes_mb"] == [256, 512]
    assert "1 cold + 7 warm" in finished.err
    assert "payload of in.json: missing, so null is sent" in finished.err


@pytest.mark.parametrize(("arguments", "environment", "code", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_its_exit_code(
    command: Command,
    here: CommandHere,
    make_function: MakeFunction,
    arguments: list[str],
    environment: dict[str, str],
    code: int,
    message: str,
) -> None:
    name = make_function()
    words = [word.replace("FN", name) for word in arguments]

    finished = here.run("tuner", *words, "--json", **environment)

    check_mistake(finished, code, message)
    assert not list(Path(command.folder).iterdir())


def test_a_mistake_is_all_that_the_process_says(command: Command) -> None:
    check_mistake(command.run("tuner", "no-such-fn", "--json"), 2, "'no-such-fn': not found")
    check_mistake(command.run("tuner", "lookup", "--json", AWS_REGION=""), 2, "no AWS region")


def check_mistake(finished: Finished, code: int, message: str) -> None:
    """One line for people, one document for programs."""
    assert finished.code == code, finished.err
    assert message in finished.err
    assert len(finished.err.splitlines()) == 1
    assert finished.err.startswith("error: ")
    document = finished.document
    assert (document["verdict"], document["exit_code"]) == ("error", code)
    assert message in document["errors"][0]
