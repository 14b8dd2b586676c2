"""First profiles: valid, gentle, and with every route of the API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.aws.gateway import Route
from core.aws.session import LocalAccess
from core.console import Console
from core.errors import ExitCode, InputError
from loadgen.first_profile import (
    Source,
    active,
    first_profile,
    first_rate_rps,
    first_steps,
    quoted,
)
from loadgen.limits import Bucket, Limits, QuotaLimit, StepLimits
from loadgen.options import InitOptions
from loadgen.outcome import Cause
from loadgen.profile.model import Profile
from loadgen.profile.reader import read_profile
from loadgen.profile_init import init_profile
from tests.loadgen.shop import QUOTA_KEY, STACK

SOURCE = Source("shop", "rest", "{id: ab12, stage: prod}", "loadgen run api.yaml")


def route(key: str, *, auth: str = "NONE", api_key: bool = False) -> Route:
    method, _, path = key.rpartition(" ")
    return Route(method or "ANY", path, None, None, api_key_required=api_key, auth=auth)


def written(folder: Path, *routes: Route, source: Source = SOURCE) -> Profile:
    """The profile for an API with these routes, as it is read back."""
    file = folder / "api.yaml"
    steps = first_steps(routes)
    limits = Limits(tuple(StepLimits(i) for i in range(len(active(steps)))))
    file.write_text(first_profile(source, steps, limits), encoding="utf-8")
    return read_profile(file, env={"API_KEY": "key", "TOKEN": "token"}).profile


def requests(profile: Profile) -> list[str]:
    return [
        f"{'GET' if step.get else 'POST'} {step.get or step.post}"
        for scenario in profile.scenarios
        for step in scenario.flow
    ]


# -- the text -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "request_line", "name"),
    [
        ("GET /", "GET /", "GET /"),
        ("GET /orders/{id}", "GET /orders/${random_int(1, 100)}", "GET /orders/{id}"),
        ("ANY /files/{proxy+}", "GET /files/example", "GET /files/{proxy+}"),
        ("$default", "GET /", "GET /"),
        ("POST /orders", "POST /orders", "POST /orders"),
        ("GET /a$b/c:d", "GET /a$$b/c:d", "GET /a$b/c:d"),
    ],
)
def test_a_route_becomes_a_step(tmp_path: Path, key: str, request_line: str, name: str) -> None:
    profile = written(tmp_path, route(key))

    assert requests(profile) == [request_line]
    assert profile.scenarios[0].flow[0].name == name


def test_what_changes_data_is_there_and_not_sent(tmp_path: Path) -> None:
    profile = written(tmp_path, route("POST /orders"), route("GET /orders"), route("OPTIONS /x"))
    text = (tmp_path / "api.yaml").read_text()

    assert requests(profile) == ["GET /orders"]
    assert "# - name: post-orders\n  #   flow:\n  #     - post: /orders\n" in text
    assert "options" not in text


def test_commented_scenarios_are_valid_once_they_are_wanted(tmp_path: Path) -> None:
    written(tmp_path, route("POST /orders", api_key=True), route("GET /orders"))
    text = (tmp_path / "api.yaml").read_text()
    begin, end = text.index("  # - name: post-orders"), text.index("thresholds:")
    wanted = text[:begin] + text[begin:end].replace("  # ", "  ") + text[end:]
    (tmp_path / "all.yaml").write_text(wanted)

    profile = read_profile(tmp_path / "all.yaml", env={"API_KEY": "key"}).profile

    assert requests(profile) == ["GET /orders", "POST /orders"]


@pytest.mark.parametrize(
    ("auth", "api_key", "kind", "headers"),
    [
        ("NONE", True, "api_key", {}),
        ("AWS_IAM", False, "sigv4", {}),
        ("JWT", False, "bearer", {}),
        ("CUSTOM", True, "bearer", {"x-api-key": "key"}),
    ],
)
def test_auth_is_that_of_the_route(
    tmp_path: Path, *, auth: str, api_key: bool, kind: str, headers: dict[str, str]
) -> None:
    scenario = written(tmp_path, route("GET /a", auth=auth, api_key=api_key)).scenarios[0]

    assert scenario.auth is not None
    assert scenario.auth.type == kind
    assert scenario.flow[0].headers == headers


def test_routes_with_names_alike_get_scenarios_of_their_own(tmp_path: Path) -> None:
    profile = written(tmp_path, route("GET /a-b"), route("GET /a/b"), route("GET /a_b"))

    names = [scenario.name for scenario in profile.scenarios]
    assert sorted(names) == ["get-a-b", "get-a-b-2", "get-a-b-3"]


_SEGMENT = st.text("aZ09._~:@!*'+$-", min_size=1, max_size=12)
_TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)


@settings(max_examples=20)
@given(name=_TEXT, parts=st.lists(_SEGMENT, max_size=4))
def test_no_name_of_an_api_or_a_route_breaks_the_file(
    tmp_path_factory: pytest.TempPathFactory, name: str, parts: list[str]
) -> None:
    path = "/" + "/".join(parts)
    source = Source(name, "http", f"{{name: {quoted(name)}}}", "loadgen run x")

    profile = written(tmp_path_factory.mktemp("any"), route(f"GET {path}"), source=source)

    assert profile.scenarios[0].flow[0].get == path.replace("$", "$$")
    assert profile.target.api is not None
    assert profile.target.api.name == name


# -- the rate -------------------------------------------------------------------------------------


def limited(*rates_rps: float) -> Limits:
    """As many steps as rates, each with a bucket of its own."""
    return Limits(
        tuple(
            StepLimits(i, buckets=(Bucket(Cause.METHOD, f"m{i}", rate, 5, f"m{i}"),))
            for i, rate in enumerate(rates_rps)
        )
    )


@pytest.mark.parametrize(
    ("limits", "rate_rps"),
    [
        pytest.param(Limits(), 10.0, id="nothing is known"),
        pytest.param(limited(10_000.0), 10.0, id="far away"),
        pytest.param(limited(8.0), 4.0, id="half of what is allowed"),
        pytest.param(limited(8.0, 100.0), 8.0, id="two steps share the rate"),
        pytest.param(
            Limits((StepLimits(0, quota=QuotaLimit("q", 400, "day", 50, "q")),)),
            1.0,
            id="a tenth of what is left of the quota",
        ),
        pytest.param(
            Limits((StepLimits(0, function="f", concurrency=1, reserved=True),)),
            5.0,
            id="Lambda",
        ),
        pytest.param(limited(0.0), 0.1, id="closed"),
    ],
)
def test_the_rate_is_well_below_every_limit(limits: Limits, rate_rps: float) -> None:
    assert first_rate_rps(limits) == rate_rps


@given(st.lists(st.floats(1, 10_000), min_size=1, max_size=8))
def test_no_step_gets_more_than_half_of_its_limit(rates_rps: list[float]) -> None:
    rate_rps = first_rate_rps(limited(*rates_rps))

    assert 0 < rate_rps <= 10
    assert rate_rps / len(rates_rps) <= min(rates_rps) / 2 + 1e-9


# -- the command ----------------------------------------------------------------------------------


@pytest.fixture
def account(shop_access: LocalAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS settings that lead to the shop."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", shop_access.endpoint_url)
    monkeypatch.setenv("AWS_REGION", shop_access.region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", shop_access.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", shop_access.secret_access_key)


@pytest.mark.usefixtures("account")
def test_init_writes_a_profile_for_an_api_of_the_account(tmp_path: Path) -> None:
    output = tmp_path / "api.yaml"

    code = init_profile(InitOptions(api="shop", output=output), Console(verbosity=-1))

    assert code == ExitCode.PASS
    text = output.read_text()
    assert "stage prod: 5 requests/s, burst 20" in text
    assert "${env.API_KEY}" in text
    profile = read_profile(output, env={"API_KEY": "key"}).profile
    assert profile.target.api is not None
    assert (profile.target.api.stage, profile.target.api.region) == ("prod", "us-east-1")
    assert requests(profile) == [
        "GET /orders/${random_int(1, 100)}",
        "GET /products",
        "GET /products/${random_int(1, 100)}",
        "GET /search",
    ]
    assert profile.guards.max_cost_usd == 1


@pytest.mark.usefixtures("account")
def test_init_writes_to_stdout_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    init_profile(InitOptions(api="twin"), Console(verbosity=-1))

    assert "name: twin\n" in capsys.readouterr().out


@pytest.mark.usefixtures("account")
def test_init_says_which_apis_there_are() -> None:
    with pytest.raises(InputError, match=r"\(got 'twn'\) \(did you mean twin\?\)"):
        init_profile(InitOptions(api="twn"), Console(verbosity=-1))


def test_init_for_a_stack_gives_a_profile_that_runs_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack, output = tmp_path / "shop.yaml", tmp_path / "load" / "shop-load.yaml"
    stack.write_text(STACK)
    output.parent.mkdir()

    init_profile(InitOptions(stack=str(stack), output=output), Console(json_output=True))

    profile = read_profile(output, env={}).profile
    assert profile.target.api is not None
    assert (profile.target.api.name, profile.target.api.id) == ("shop", None)
    assert profile.sandbox.stack == "../shop.yaml"
    assert f"${{env.API_KEY:-{QUOTA_KEY}}}" in output.read_text()
    said = capsys.readouterr()
    assert json.loads(said.out)["profile"] == output.read_text()
    assert "the stack has other APIs too: still, tools, trail, twin (--api NAME)" in said.err


def test_init_does_not_write_over_a_file(tmp_path: Path) -> None:
    output = tmp_path / "api.yaml"
    output.write_text("mine")

    with pytest.raises(InputError, match=r"is there already \(--force writes over it\)"):
        init_profile(InitOptions(api="shop", output=output), Console(verbosity=-1))

    assert output.read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (InitOptions(), "--api or --stack: one of them is needed"),
        (InitOptions(stack="orders", aws_profile="me"), "--profile: has no meaning with --stack"),
    ],
)
def test_init_refuses_what_makes_no_sense(options: InitOptions, message: str) -> None:
    with pytest.raises(InputError, match=message):
        init_profile(options, Console(verbosity=-1))
