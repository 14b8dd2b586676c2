"""`loadgen limits` as far as it sends nothing, against a sandbox that is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.aws.gateway import GatewayReader
from core.aws.session import AwsSession, LocalAccess
from core.console import Console
from core.errors import ExitCode, InputError, Refused
from loadgen.limits import Limits, StepLimits
from loadgen.outcome import Cause
from loadgen.probe.options import LimitsOptions
from loadgen.probe.predict import is_of_account
from loadgen.probe.run import run_limits
from tests.loadgen.probe_rig import PLAIN, bucket
from tests.loadgen.shop import BASIC_KEY, QUOTA_KEY

PROFILE = f"""\
version: 1
name: shop
target: {{api: {{name: shop}}}}
load: {{phases: [{{name: a, rate: 9000, duration: 10m}}]}}
thresholds: ["rate(throttled) < 1%"]
scenarios:
  - name: list
    flow: [{{get: /products}}]
  - name: order
    auth: {{type: api_key, value: {BASIC_KEY}}}
    flow: [{{post: /orders}}]
  - name: counted
    auth: {{type: api_key, value: {QUOTA_KEY}}}
    flow: [{{post: /orders}}]
"""


@pytest.fixture
def here(tmp_path: Path, shop_access: LocalAccess, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A profile, and the environment in which AWS is the sandbox with the shop."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", shop_access.endpoint_url)
    monkeypatch.setenv("AWS_REGION", shop_access.region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", shop_access.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", shop_access.secret_access_key)
    path = tmp_path / "p.yaml"
    path.write_text(PROFILE, encoding="utf-8")
    return path


def planned(options: LimitsOptions, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    console = Console(verbosity=-1, json_output=True)
    assert run_limits(options, console) is ExitCode.PASS
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return document


def test_a_dry_run_says_what_the_probe_would_take(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = planned(LimitsOptions(here, dry_run=True), capsys)
    predicted = document["predicted"]

    assert document["kind"] == "limits-plan"
    assert document["scenario"] == "list"
    assert isinstance(predicted, dict)
    assert predicted["stop"] is None
    assert 0 < predicted["admitted"] < 7 * 20 + 15 * 5
    assert {one["purpose"] for one in predicted["phases"]} >= {"ramp", "overload", "hold"}


def test_another_scenario_has_its_own_others(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = planned(LimitsOptions(here, scenario="order", dry_run=True), capsys)

    assert document["scenario"] == "order"
    assert document["others"] == {"key": "counted"}


def test_what_is_left_of_a_quota_ends_the_plan(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = planned(LimitsOptions(here, scenario="counted", dry_run=True), capsys)
    predicted = document["predicted"]

    assert isinstance(predicted, dict)
    assert "of the key's quota may be used" in predicted["stop"]


def test_a_scenario_that_is_not_there_is_told_before_aws_is_asked(here: Path) -> None:
    with pytest.raises(InputError, match="--scenario: there is no scenario 'lst'"):
        run_limits(LimitsOptions(here, scenario="lst"), Console(verbosity=-1))


def test_a_probe_that_could_only_meet_the_account_is_one_of_the_account() -> None:
    account = bucket(Cause.ACCOUNT, 100, 50)
    alone = Limits((StepLimits(0, "GET /a", (account,), complete=True),))
    behind = Limits((StepLimits(0, "GET /a", (bucket(), account), complete=True),))
    above = Limits((StepLimits(0, "GET /a", (bucket(rate=200), account), complete=True),))

    assert is_of_account(PLAIN, alone)
    assert is_of_account(PLAIN, above)
    assert not is_of_account(PLAIN, behind)
    assert not is_of_account(PLAIN, Limits())


def test_an_account_is_not_drained_unasked(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadgen.probe.preparing.is_of_account", lambda setup, limits: True)

    with pytest.raises(Refused, match="the bucket of the account binds first"):
        run_limits(LimitsOptions(here, dry_run=True), Console(verbosity=-1))


@pytest.mark.parametrize("status", [200, 302], ids=["as what is ok", "as a redirect"])
def test_an_api_whose_refusals_look_like_answers_is_not_probed_without_a_rule(
    here: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(GatewayReader, "throttled_status", lambda self, api_id: status)

    with pytest.raises(Refused, match=rf"answers throttled requests with status {status}"):
        run_limits(LimitsOptions(here, dry_run=True), Console(verbosity=-1))
    ruled = PROFILE + "outcomes: [{when: {headers: {x-a: b}}, outcome: throttled}]\n"
    here.write_text(ruled, encoding="utf-8")
    assert run_limits(LimitsOptions(here, dry_run=True), Console(verbosity=-1)) is ExitCode.PASS


def test_the_status_of_refusals_is_read(shop: AwsSession) -> None:
    reader = GatewayReader(shop)
    api = next(one for one in reader.apis("rest") if one.name == "shop")

    assert reader.throttled_status(api.id) == 429
