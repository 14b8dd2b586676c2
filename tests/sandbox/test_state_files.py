"""Files of a state directory that cannot be read: the message says what is wrong with them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gateway_rig import HttpRig, RestRig

from core.errors import InputError
from sandbox import account
from sandbox.background import BackgroundSandbox
from sandbox.execution.executor import LocalExecutor
from sandbox.server import SandboxOptions

Change = Callable[[Any], object]


def run(state_dir: Path) -> BackgroundSandbox:
    return BackgroundSandbox(SandboxOptions(state_dir=state_dir), lambda _: LocalExecutor())


def test_a_state_directory_is_of_one_region(tmp_path: Path) -> None:
    # ARNs of functions and integrations are saved with it: they would lead nowhere in another.
    with run(tmp_path):
        pass
    options = SandboxOptions(state_dir=tmp_path, region="eu-west-1")
    with (
        pytest.raises(InputError, match=r"is of the region us-east-1 \(got eu-west-1\)"),
        BackgroundSandbox(options, lambda _: LocalExecutor()),
    ):
        pass
    with run(tmp_path):
        pass


def refusal(state_dir: Path) -> str:
    with pytest.raises(InputError) as caught, run(state_dir):
        pass
    return str(caught.value)


@pytest.mark.parametrize("name", ["state.json", "apis.json"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "is not JSON: ", id="empty"),
        pytest.param(b"{", "is not JSON: ", id="cut off"),
        pytest.param(b"\xff\xfe", "is not UTF-8 text", id="binary"),
        pytest.param(b"[]", "must be a JSON object", id="a list"),
        pytest.param(b"null", "must be a JSON object", id="null"),
        pytest.param(b"{}", "schema_version: is missing", id="without a version"),
        pytest.param(b'{"schema_version": 9}', "schema_version: must be 1 (got 9)", id="later"),
    ],
)
def test_what_is_no_state_is_told(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    message = refusal(tmp_path)
    assert message.startswith(f"{tmp_path / name}: could not read the sandbox's ")
    assert reason in message


def test_a_directory_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "apis.json").mkdir()
    assert "apis.json: could not read the sandbox's APIs: Is a directory (" in refusal(tmp_path)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An apis.json with one API of each kind."""
    import boto3

    directory = tmp_path_factory.mktemp("state")
    with run(directory) as running:
        session = boto3.Session("any", "any", region_name="us-east-1")
        url = running.endpoint_url
        rest = session.client("apigateway", endpoint_url=url)
        http = session.client("apigatewayv2", endpoint_url=url)
        functions = session.client("lambda", endpoint_url=url)
        api = RestRig(url, rest, functions).create("orders")
        api.mock("/health")
        api.deploy()
        shop = HttpRig(url, http, functions).create("shop")
        shop.function("GET /products", "absent", allow=False)
        shop.deploy()
        for client in (rest, http, functions):
            client.close()
    return (directory / "apis.json").read_text()


def of_rest(document: Any) -> Any:
    (api,) = document["rest"]["apis"].values()
    return api


def a_route(document: Any) -> Any:
    """What an HTTP API serves."""
    (frozen,) = document["http"]["apis"][0]["configurations"].values()
    (route,) = frozen["routes"].values()
    return route


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda found: found.pop("http"), "http: is missing", id="a part"),
        pytest.param(
            lambda found: found["rest"].update(apis=[]), "rest: apis: ", id="a value of a kind"
        ),
        pytest.param(lambda found: found.update(http=5), "http: ", id="another kind"),
        pytest.param(
            lambda found: found["http"]["apis"][0]["document"].pop("ApiId"), "ApiId", id="an id"
        ),
        pytest.param(
            lambda found: of_rest(found)["stages"]["prod"].pop("deploymentId"),
            "deploymentId",
            id="what a stage serves",
        ),
        pytest.param(lambda found: of_rest(found)["document"].pop("name"), "name", id="a name"),
        pytest.param(lambda found: a_route(found).update(RouteKey="x"), "route key", id="a key"),
        pytest.param(lambda found: found.update(usage={"uses": 1}), "usage: ", id="usage"),
    ],
)
def test_apis_of_another_making_are_refused(
    tmp_path: Path, saved: str, change: Change, reason: str
) -> None:
    document = json.loads(saved)
    change(document)
    (tmp_path / "apis.json").write_text(json.dumps(document))
    message = refusal(tmp_path)
    assert message.startswith(f"{tmp_path / 'apis.json'}: could not read the sandbox's APIs: ")
    assert reason in message


def test_apis_as_they_were_saved_are_taken(tmp_path: Path, saved: str) -> None:
    (tmp_path / "apis.json").write_text(saved)
    with run(tmp_path):
        pass
    assert json.loads((tmp_path / "apis.json").read_text()) == json.loads(saved)


def test_what_was_used_of_a_quota_is_saved_while_the_sandbox_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import boto3

    monkeypatch.setattr(account, "_DRAIN_S", 0.02)
    with run(tmp_path) as running:
        session = boto3.Session("any", "any", region_name="us-east-1")
        client = session.client("apigateway", endpoint_url=running.endpoint_url)
        api = RestRig(running.endpoint_url, client, None).create("orders")
        api.mock("/health", apiKeyRequired=True)
        api.deploy()
        plan = client.create_usage_plan(
            name="plan",
            apiStages=[{"apiId": api.api_id, "stage": api.stage}],
            quota={"limit": 10, "period": "DAY"},
        )
        key = client.create_api_key(name="key", enabled=True)
        client.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
        in_the_way = tmp_path / "apis.new"
        in_the_way.mkdir()
        for _ in range(3):
            assert api.get("/health", headers={"x-api-key": key["value"]}).status == 200
        client.close()
        caplog.clear()
        failed_s = time.monotonic() + 10
        while "could not save" not in caplog.text and time.monotonic() < failed_s:
            time.sleep(0.02)
        assert "could not save what was used of the quotas" in caplog.text
        assert _used(tmp_path) == 0
        in_the_way.rmdir()
        deadline_s = time.monotonic() + 10
        while (used := _used(tmp_path)) != 3 and time.monotonic() < deadline_s:
            time.sleep(0.02)
        assert used == 3


def _used(directory: Path) -> int:
    """The requests of all quotas, as a sandbox that was killed now would find them."""
    document = json.loads((directory / "apis.json").read_text())
    return sum(day[0] for use in document["usage"]["uses"] for day in use["days"].values())
