"""Runs whose recommendation is applied to functions of the sandbox, and what may come between."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.aws.session import AwsSession, LocalAccess
from core.aws.version_metrics import CallMetrics
from core.console import Console
from core.errors import ExitCode
from core.interrupt import StopRequest
from reports.document import CurrentSize, FunctionFacts, Recommendation, Saving
from reports.run_folder import write_document
from tests.reports.documents import document, provenance
from tests.tuner import lease_rig
from tuner.apply import run, verb
from tuner.apply.destination import ShiftOptions
from tuner.apply.judgement import Look
from tuner.apply.record import Recorder, read_records, records_folder
from tuner.apply.shift import Clocks
from tuner.apply.verb import ApplyOptions
from tuner.apply.watch import Counted
from tuner.fingerprint import settings_fingerprint
from tuner.target import read_target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

REGION = lease_rig.REGION
CHANGING = ("UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias", "DeleteFunction")
RUN_ID = "0123456789ab"
SAVING = Saving(
    cost_share=0.23,
    cost_interval=(0.19, 0.27),
    duration_share=-0.1,
    duration_interval=(-0.2, -0.05),
)
GOOD = Look(
    new=CallMetrics(100, 0, 0, 50.0),
    old=CallMetrics(900, 0, 0, 50.0),
    alias=CallMetrics(1000, 0, 0, 50.0),
    before=CallMetrics(1000, 0, 0, 50.0),
)


def folder_of(
    client: LambdaClient,
    name: str,
    access: LocalAccess,
    root: Path,
    *,
    to_mb: int = 256,
    run_id: str = RUN_ID,
    saving: Saving | None = SAVING,
    **changes: Any,
) -> Path:
    """The folder of a run that measured the function as it is and recommends `to_mb`."""
    target = read_target(client, name, REGION)
    facts = FunctionFacts(
        name=target.name,
        arn=target.arn,
        runtime=target.runtime,
        arch=target.arch,
        code_sha256=target.code_sha256,
        timeout_s=target.timeout_s,
        ephemeral_storage_mb=target.storage_mb,
        region=REGION,
        account="000000000000",
        settings_fingerprint=settings_fingerprint(target.settings_sha256, target.arn),
    )
    current = CurrentSize(
        memory_mb=target.memory_mb, cost_usd_per_million=None, duration_p50_ms=None
    )
    taken = Recommendation(
        memory_mb=to_mb, tied_mb=[to_mb], objective="cost", weight=None, saving=saving, reasons=[]
    )
    parts: dict[str, Any] = {
        "recommendation": taken,
        "function": facts,
        "current": current,
        "provenance": provenance(run_id=run_id, endpoint=access.endpoint_url),
        **changes,
    }
    folder = root / f"run-{run_id}-{len(list(root.iterdir()))}"
    folder.mkdir()
    write_document(folder, document([], **parts))
    return folder


@dataclass
class World:
    """Where an application happens: time, calls on their way, and what CloudWatch shows."""

    monkeypatch: pytest.MonkeyPatch
    calls: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda name: None
    after: Callable[[str, dict[str, Any]], None] = lambda name, parsed: None
    waiting: Callable[[float], None] = lambda elapsed_s: None
    elapsed_s: float = 0.0

    def __post_init__(self) -> None:
        patch, real_sleep = self.monkeypatch, time.sleep
        patch.setattr(time, "sleep", lambda seconds: real_sleep(min(seconds, 0.002)))
        patch.setattr(verb, "real_clocks", self.clocks)
        made, begun = AwsSession.control_lambda, run.begin_record

        def control(session: AwsSession, **given: Any) -> LambdaClient:
            client = made(session, **given)
            client.meta.events.register("before-call.lambda", self._before)
            client.meta.events.register("after-call.lambda", self._after)
            return client

        def begin(*given: Any) -> Recorder:
            recorder = begun(*given)
            lease_rig._JOURNALS.append(recorder.journal)
            return recorder

        patch.setattr(AwsSession, "control_lambda", control)
        patch.setattr(run, "begin_record", begin)

    def clocks(self, stop: StopRequest) -> Clocks:
        """Time that passes only where a shift waits."""

        def wait(seconds: float) -> bool:
            self.elapsed_s += seconds
            self.waiting(self.elapsed_s)
            return stop.requested

        return Clocks(wait, lambda: self.elapsed_s, time.time)

    def counts(self, look: Look) -> None:
        """From now on CloudWatch shows this of both versions."""
        self.monkeypatch.setattr(Counted, "look", lambda counted, now_s: look)

    def kill(self, at: int, moment: str) -> None:
        """Ends the process before or after its changing call number `at`."""

        def die(name: str, parsed: dict[str, Any] | None = None) -> None:
            if name in CHANGING and len(self.calls) == at + 1:
                raise lease_rig.Killed

        if moment == "before":
            self.before = die
        else:
            self.after = die

    def spare(self) -> None:
        """Nothing comes between any more."""
        self.before, self.after = lambda name: None, lambda name, parsed: None

    def _before(self, model: Any, **_: Any) -> None:
        if model.name in CHANGING:
            self.calls.append(model.name)
        self.before(model.name)

    def _after(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        self.after(model.name, parsed)


def applied(
    folder: Path | str,
    to: str | None,
    capsys: pytest.CaptureFixture[str],
    *,
    undo: bool = False,
    yes: bool = True,
    **shift: Any,
) -> tuple[ExitCode, dict[str, Any]]:
    """Runs `tune apply`; gives its exit code and its document."""
    options = ApplyOptions(
        run=str(folder), to=to, shift=ShiftOptions(**shift), undo=undo, yes=yes, profile=None
    )
    capsys.readouterr()
    code = verb.apply(options, Console(json_output=True))
    return code, json.loads(capsys.readouterr().out)


def records() -> Iterator[Any]:
    """What the state folder has of applications."""
    return iter(read_records(records_folder()))
