"""The policy of `tune iam --apply` allows what applying and taking back ask of AWS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.aws.session import LocalAccess
from tests.tuner.apply.rig import GOOD, World, applied
from tests.tuner.apply.test_shift import put_alarm
from tests.tuner.iam_rig import actions, policy, recording, refused
from tuner.apply.watch import Counted


@pytest.mark.parametrize(
    ("to", "with_alarm"),
    [
        pytest.param("latest", False, id="$LATEST"),
        pytest.param("alias=live", False, id="alias"),
        pytest.param("shift=live", True, id="shift"),
    ],
)
def test_applying_asks_for_all_that_its_policy_adds_and_for_nothing_else(
    live: str,
    folder: Path,
    world: World,
    local_access: LocalAccess,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    to: str,
    *,
    with_alarm: bool,
) -> None:
    alarms: dict[str, Any] = {"alarms": (live,)} if with_alarm else {}
    look = Counted.look

    def looking(counted: Counted, now_s: float) -> object:
        look(counted, now_s)
        return GOOD

    monkeypatch.setattr(Counted, "look", looking)
    if with_alarm:
        put_alarm(local_access, live, "OK")

    with recording(monkeypatch) as recorder:
        assert applied(folder, to, capsys, **alarms)[0] == 0
        assert applied(folder, None, capsys, undo=True)[0] == 0

    document = policy(live, apply=to, **alarms)
    assert refused(recorder.calls, document) == []
    assert actions(document) - actions(policy(live)) <= recorder.actions
