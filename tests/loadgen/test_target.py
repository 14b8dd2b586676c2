"""From the target of a profile to a base URL and the API behind it."""

from __future__ import annotations

from typing import Any

import pytest

from core.aws.session import AwsSession
from core.errors import AwsError, FunctionNotFound, InputError
from loadgen.api_url import invoke_url, parse_api_url
from loadgen.target import Resolved, resolve, session_region
from tests.loadgen.shop import canned_aws, profile_of


def resolved(session: AwsSession | None, **target: Any) -> Resolved:
    return resolve(profile_of(target), session)


@pytest.mark.parametrize(
    ("url", "api_id", "region", "path"),
    [
        pytest.param(
            "https://ab12.execute-api.eu-west-1.amazonaws.com/prod/",
            "ab12",
            "eu-west-1",
            "/prod",
            id="on AWS",
        ),
        pytest.param(
            "https://ab12.execute-api.cn-north-1.amazonaws.com.cn",
            "ab12",
            "cn-north-1",
            "",
            id="in China",
        ),
        pytest.param(
            "http://127.0.0.1:4599/_aws/execute-api/ab12/prod/v1",
            "ab12",
            None,
            "/prod/v1",
            id="at a custom endpoint",
        ),
        pytest.param(
            "http://localhost:4566/_aws/execute-api/ab12", "ab12", None, "", id="without a stage"
        ),
    ],
)
def test_a_url_tells_which_api_it_belongs_to(
    url: str, api_id: str, region: str | None, path: str
) -> None:
    found = parse_api_url(url)

    assert found is not None
    assert (found.api_id, found.region, found.path) == (api_id, region, path)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/prod",
        "https://execute-api.eu-west-1.amazonaws.com/x",
        "https://ab12.execute-api.eu-west-1.amazonaws.com.example.org/prod",
        "http://[::1",
    ],
)
def test_other_urls_belong_to_no_api(url: str) -> None:
    assert parse_api_url(url) is None


@pytest.mark.parametrize(
    ("stage", "region", "endpoint", "url"),
    [
        ("prod", "us-east-1", None, "https://ab.execute-api.us-east-1.amazonaws.com/prod"),
        ("$default", "us-east-1", None, "https://ab.execute-api.us-east-1.amazonaws.com"),
        ("p", "cn-north-1", None, "https://ab.execute-api.cn-north-1.amazonaws.com.cn/p"),
        ("prod", "x", "http://localhost:1/", "http://localhost:1/_aws/execute-api/ab/prod"),
        ("$default", "x", "http://localhost:1", "http://localhost:1/_aws/execute-api/ab"),
    ],
)
def test_only_the_endpoint_decides_about_the_form_of_an_invoke_url(
    stage: str, region: str, endpoint: str | None, url: str
) -> None:
    assert invoke_url("ab", stage, region, endpoint) == url


@pytest.mark.parametrize(
    ("name", "kind", "stage", "tail"),
    [("shop", "rest", "prod", "/prod"), ("twin", "http", "$default", "")],
)
def test_an_api_is_found_by_name_and_by_id(
    shop: AwsSession, name: str, kind: str, stage: str, tail: str
) -> None:
    by_name = resolved(shop, api={"name": name})
    by_id = resolved(shop, api={"id": by_name.facts.api_id})

    assert by_name.base_url == by_id.base_url
    assert by_name.base_url.endswith(f"/_aws/execute-api/{by_name.facts.api_id}{tail}")
    assert (by_name.facts.api_kind, by_name.facts.stage) == (kind, stage)
    assert by_id.facts.api_name == name
    assert by_name.facts.account == "000000000000"


def test_the_api_behind_a_plain_url_is_read_as_well(shop: AwsSession) -> None:
    base_url = resolved(shop, api={"name": "shop"}).base_url

    found = resolved(shop, url=f"{base_url}/v1/")

    assert found.base_url == f"{base_url}/v1"
    assert found.api is not None
    assert (found.api.name, found.api.stage, found.api.base_path) == ("shop", "prod", "/v1")


def test_the_default_stage_takes_the_whole_path(shop: AwsSession) -> None:
    base_url = resolved(shop, api={"name": "twin"}).base_url

    found = resolved(shop, url=f"{base_url}/v1")

    assert found.api is not None
    assert (found.api.stage, found.api.base_path) == ("$default", "/v1")


def test_a_url_is_taken_as_it_is_where_nothing_can_be_read() -> None:
    found = resolved(None, url="https://ab12.execute-api.eu-west-1.amazonaws.com/prod/")

    assert found.base_url == "https://ab12.execute-api.eu-west-1.amazonaws.com/prod"
    assert (found.facts.api_id, found.facts.region) == ("ab12", "eu-west-1")


def test_a_url_of_an_unknown_api_is_used_and_noted(shop: AwsSession) -> None:
    found = resolved(shop, url="https://ab12.execute-api.us-east-1.amazonaws.com/prod")

    assert found.notes == ("API ab12 is not in this account and region: its limits are unknown",)


def test_discovery_can_be_switched_off(shop: AwsSession) -> None:
    base_url = resolved(shop, api={"name": "shop"}).base_url

    found = resolve(profile_of({"url": base_url}, aws={"discover": False}), shop)

    assert found.facts.api_name is None


@pytest.mark.parametrize(
    ("api", "message"),
    [
        pytest.param(
            {"name": "shp"},
            "name: no REST or HTTP API has it in us-east-1 (got 'shp'); did you mean shop?",
            id="name",
        ),
        pytest.param(
            {"name": "shop", "kind": "http"},
            "name: no HTTP API has it in us-east-1 (got 'shop'); there are twin",
            id="kind",
        ),
        pytest.param(
            {"name": "shop", "stage": "prd"},
            "stage: API shop has no such stage (got 'prd'); did you mean prod?",
            id="stage",
        ),
    ],
)
def test_what_is_not_there_is_said_with_what_there_is(
    shop: AwsSession, api: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        resolved(shop, api=api)

    assert str(caught.value) == f"target.api.{message}"


def test_a_name_that_several_apis_have_needs_an_id() -> None:
    rest = {"item": [{"id": "r1", "name": "shop"}, {"id": "r2", "name": "shop"}]}
    with (
        canned_aws(
            lambda _, path: (200, rest if path.startswith("/restapis") else {"items": []})
        ) as session,
        pytest.raises(InputError, match=r"several APIs have it \(got 'shop'\): r1 \(rest\), r2"),
    ):
        resolved(session, api={"name": "shop"})


def denied(_method: str, _path: str) -> tuple[int, dict[str, str]]:
    return 403, {"__type": "AccessDeniedException", "message": "not authorized"}


def test_without_permission_to_read_an_id_and_a_stage_are_enough() -> None:
    with canned_aws(denied) as session:
        found = resolved(session, api={"id": "ab12", "stage": "prod"})

    assert found.base_url.endswith("/_aws/execute-api/ab12/prod")
    assert "AccessDeniedException" in found.notes[0]


def test_without_permission_to_read_a_name_cannot_be_looked_up() -> None:
    with canned_aws(denied) as session, pytest.raises(AwsError, match="list REST APIs"):
        resolved(session, api={"name": "shop"})


def test_without_aws_settings_an_api_cannot_be_looked_up() -> None:
    with pytest.raises(InputError, match="AWS settings are needed"):
        resolved(None, api={"name": "shop"})


@pytest.mark.parametrize(
    ("function", "query"),
    [
        ("hello", ""),
        ("hello:live", "?Qualifier=live"),
        ("arn:aws:lambda:us-east-1:000000000000:function:hello:live", "?Qualifier=live"),
    ],
)
def test_a_function_url_is_looked_up(function: str, query: str) -> None:
    asked: list[str] = []

    def answer(_: str, path: str) -> tuple[int, dict[str, str]]:
        asked.append(path)
        url = "https://x.lambda-url.us-east-1.on.aws/"
        return 200, {"FunctionUrl": url, "AuthType": "NONE"}

    with canned_aws(answer) as session:
        found = resolved(session, function_url=function)

    assert found.base_url == "https://x.lambda-url.us-east-1.on.aws"
    assert asked[0].endswith(f"hello/url{query}")


def test_a_function_without_a_url_is_said() -> None:
    missing = {"__type": "ResourceNotFoundException", "Message": "none"}
    with (
        canned_aws(lambda *_: (404, missing)) as session,
        pytest.raises(FunctionNotFound, match="'hello' has no function URL in us-east-1"),
    ):
        resolved(session, function_url="hello")


@pytest.mark.parametrize(
    ("target", "region"),
    [
        ({"url": "https://ab.execute-api.eu-west-1.amazonaws.com/p"}, "eu-west-1"),
        ({"url": "https://example.com"}, "us-west-2"),
        ({"api": {"id": "ab", "region": "ap-south-1"}}, "ap-south-1"),
        ({"api": {"id": "ab"}}, "us-west-2"),
        ({"function_url": "arn:aws:lambda:eu-north-1:000000000000:function:f"}, "eu-north-1"),
    ],
)
def test_the_target_says_which_region_to_ask(target: dict[str, Any], region: str) -> None:
    assert session_region(profile_of(target, aws={"region": "us-west-2"})) == region


def test_facts_have_the_kinds_of_auth_and_no_values() -> None:
    profile = profile_of(
        {"url": "https://example.com"},
        {"get": "/a", "auth": {"type": "api_key", "value": "hush"}},
    )

    facts = resolve(profile, None).facts

    assert facts.auth == ["api_key"]
    assert "hush" not in facts.model_dump_json()
