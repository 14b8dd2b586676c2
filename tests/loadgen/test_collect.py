"""`loadgen collect`: what AWS has later comes into the result, and nothing gets lost."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.aws.session import AwsSession, LocalAccess
from core.console import Console
from core.errors import ExitCode, InputError
from loadgen.cli import app
from loadgen.raw_data import raw_data
from loadgen.records import RecordWriter, records_path
from loadgen.target import resolve
from loadgen.telemetry.collecting import BEFORE_NAME, CollectOptions, collect
from loadgen.telemetry.traces import read_traces
from reports.load_document import LoadDocument
from reports.run_folder import read_document, write_document
from sandbox.admin_client import AdminClient
from tests.conftest import child_environment
from tests.loadgen.made_runs import Made, Seen, tally_of
from tests.loadgen.shop import Caller, profile_of
from tests.loadgen.test_result import document_of

N = 6
CLOSED = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def made(shop: AwsSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose telemetry nobody has asked for yet."""
    profile = profile_of({"api": {"name": "trail"}}, {"get": "/plain"})
    resolved = resolve(profile, shop)
    caller = Caller(resolved.base_url, profile)
    caller.call(0, times=N)
    folder = tmp_path_factory.mktemp("run")
    records = caller.records
    records["first_byte_us"] = records["service_us"]
    with RecordWriter(records_path(folder, 0)) as writer:
        writer.append(records)
    started = datetime.fromtimestamp(caller.started_unix_s, UTC)
    document = document_of(
        profile,
        tally_of(profile, Made([Seen(0, count=N)])),
        target=resolved.facts,
        started=started,
        finished=datetime.now(UTC),
        notes=["a note of the run"],
    )
    write_document(folder, document)
    return folder


@pytest.fixture
def reached(shop_access: LocalAccess, monkeypatch: pytest.MonkeyPatch) -> AdminClient:
    """An environment in which AWS is the shop's sandbox."""
    for name, value in child_environment(shop_access).items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return AdminClient(shop_access.endpoint_url)


def collected(folder: Path) -> tuple[ExitCode, LoadDocument]:
    code = collect(CollectOptions(folder, settle_s=0), Console(verbosity=-1))
    return code, read_document(folder, LoadDocument)


def state_of(document: LoadDocument) -> str:
    return document.telemetry.coverage.state if document.telemetry else "nothing"


def test_a_result_gets_better_and_never_worse(made: Path, reached: AdminClient) -> None:
    as_run = (made / "result.json").read_text()

    fault = reached.add_fault({"kind": "late-metrics", "delay_s": 3600})["id"]
    early_code, early = collected(made)
    reached.clear_faults(fault)
    code, late = collected(made)
    fault = reached.add_fault({"kind": "late-metrics", "delay_s": 3600})["id"]
    again_code, again = collected(made)
    reached.clear_faults(fault)

    assert (early_code, state_of(early)) == (ExitCode.INCONCLUSIVE, "late")
    assert any(note.startswith("the metrics lag") for note in early.notes)
    assert (code, state_of(late), late.notes) == (ExitCode.PASS, "covered", ["a note of the run"])
    assert late.telemetry is not None
    assert late.telemetry.gateway is not None
    assert late.telemetry.gateway.latency_ms is not None
    assert [match.matched for match in late.telemetry.logs] == [N]
    assert late.waterfall is not None
    assert late.waterfall.source == "logs"
    assert read_traces(made, N)["has_log"].all()
    assert (again_code, state_of(again)) == (ExitCode.PASS, "covered")
    assert again.telemetry is not None
    assert again.telemetry.gateway == late.telemetry.gateway
    assert (made / BEFORE_NAME).read_text() == as_run
    unchanged = {"telemetry", "notes", "waterfall", "validity", "cold_starts", "raw_files"}
    before = read_document(made / BEFORE_NAME, LoadDocument).model_dump(exclude=unchanged)
    assert late.model_dump(exclude=unchanged) == before
    assert late.raw_files == raw_data(made, injectors=1), "traces are as they are now"


@pytest.mark.parametrize(
    ("target", "endpoint", "words"),
    [
        pytest.param({"api_id": None}, None, "is no API of API Gateway", id="no API"),
        pytest.param({"api_id": "gone"}, None, "is not in this account and region", id="gone"),
        pytest.param({}, CLOSED, "its sandbox is gone", id="a sandbox that ended"),
    ],
)
def test_runs_of_which_aws_has_nothing_are_refused(
    made: Path,
    tmp_path: Path,
    reached: AdminClient,
    target: dict[str, str | None],
    endpoint: str | None,
    words: str,
) -> None:
    document = read_document(made, LoadDocument)
    changes = {
        "target": document.target.model_copy(update=target),
        "provenance": document.provenance.model_copy(update={"endpoint": endpoint}),
    }
    write_document(tmp_path, document.model_copy(update=changes))
    before = (tmp_path / "result.json").read_bytes()

    with pytest.raises(InputError, match=words):
        collected(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
    assert (tmp_path / "result.json").read_bytes() == before


def test_a_run_against_this_machine_is_not_looked_up_in_aws(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    with pytest.raises(InputError, match="is on this machine, but AWS is not"):
        collected(made)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["."], "no result.json in .", id="no run"),
        pytest.param([".", "--settle", "5q"], "--settle: must be a length of time", id="no time"),
    ],
)
def test_what_cannot_be_meant_is_an_input_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(app, ["collect", *arguments])

    assert result.exit_code == ExitCode.INPUT
    assert words in " ".join(result.stderr.split())
