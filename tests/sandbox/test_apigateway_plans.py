"""Usage plans, API keys and usage, through boto3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from apigateway_rig import ServedApis, ops

BAD, CONFLICT, NOT_FOUND = "BadRequestException", "ConflictException", "NotFoundException"
LIMIT = "LimitExceededException"
Refused = Callable[..., tuple[str, int, str]]


@pytest.fixture(scope="module")
def server() -> Iterator[ServedApis]:
    with ServedApis() as served:
        yield served


@pytest.fixture
def served(server: ServedApis) -> ServedApis:
    """A server without plans and keys."""
    server.forget()
    return server


@pytest.fixture
def api(served: ServedApis) -> str:
    return served.deployed("orders")


def new_plan(served: ServedApis, **settings: Any) -> str:
    return str(served.client.create_usage_plan(**{"name": "gold", **settings})["id"])


def new_key(served: ServedApis, **settings: Any) -> str:
    return str(served.client.create_api_key(**{"name": "one", "enabled": True, **settings})["id"])


def join(served: ServedApis, plan: str, key: str) -> dict[str, Any]:
    return dict(served.client.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY"))


# Keys


def test_a_key_gets_a_value(served: ServedApis) -> None:
    key = served.client.create_api_key(name="one")

    assert len(key["value"]) == 40
    assert key["value"].isalnum()
    assert key["enabled"] is False
    assert "value" not in served.client.get_api_key(apiKey=key["id"])
    shown = served.client.get_api_key(apiKey=key["id"], includeValue=True)
    assert shown["value"] == key["value"]
    assert shown["createdDate"].timestamp() == 1_790_000_000


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        pytest.param(
            "a" * 19, (BAD, 400, "API Key value should be at least 20 characters"), id="short"
        ),
        pytest.param(
            "a" * 129, (BAD, 400, "API Key value should be at most 128 characters"), id="long"
        ),
        pytest.param("a" * 20, (CONFLICT, 409, "API Key already exists"), id="taken"),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    served: ServedApis, refused: Refused, value: str, answer: tuple[str, int, str]
) -> None:
    new_key(served, value="a" * 20)

    assert refused(served.client.create_api_key, name="two", value=value) == answer


def test_keys_are_found_by_the_start_of_their_name(served: ServedApis) -> None:
    for name in ("web-1", "web-2", "app"):
        new_key(served, name=name, value=f"{name}-{'x' * 20}")

    found = served.client.get_api_keys(nameQuery="web", includeValues=True)["items"]

    assert sorted(key["name"] for key in found) == ["web-1", "web-2"]
    assert all(key["value"].endswith("x" * 20) for key in found)
    assert all("value" not in key for key in served.client.get_api_keys()["items"])


def test_a_key_is_changed_and_deleted(served: ServedApis, refused: Refused) -> None:
    key = new_key(served)
    plan = new_plan(served)
    join(served, plan, key)

    changed = served.client.update_api_key(
        apiKey=key, patchOperations=ops(("replace", "/enabled", "false"), ("replace", "/name", "b"))
    )
    no_value = refused(
        served.client.update_api_key,
        apiKey=key,
        patchOperations=ops(("replace", "/value", "c" * 20)),
    )
    served.client.delete_api_key(apiKey=key)

    assert (changed["enabled"], changed["name"]) == (False, "b")
    assert no_value[:2] == (BAD, 400)
    assert served.client.get_usage_plan_keys(usagePlanId=plan)["items"] == []
    message = "Invalid API Key identifier specified"
    assert refused(served.client.get_api_key, apiKey=key) == (NOT_FOUND, 404, message)


def test_the_legacy_stage_keys_are_refused(served: ServedApis, refused: Refused) -> None:
    keys = [{"restApiId": "a", "stageName": "b"}]

    assert refused(served.client.create_api_key, name="a", stageKeys=keys)[:2] == (BAD, 400)


# Plans


def test_a_plan_is_kept_as_given(served: ServedApis, api: str) -> None:
    plan = new_plan(
        served,
        description="d",
        throttle={"rateLimit": 5.5, "burstLimit": 10},
        quota={"limit": 100, "period": "WEEK", "offset": 2},
        apiStages=[
            {"apiId": api, "stage": "prod", "throttle": {"/orders/GET": {"rateLimit": 1.0}}}
        ],
    )

    shown = served.client.get_usage_plan(usagePlanId=plan)

    assert shown["throttle"] == {"rateLimit": 5.5, "burstLimit": 10}
    assert shown["quota"] == {"limit": 100, "period": "WEEK", "offset": 2}
    (stage,) = shown["apiStages"]
    assert stage["throttle"] == {"/orders/GET": {"rateLimit": 1.0}}


def test_a_quota_shows_its_offset(served: ServedApis) -> None:
    plan = new_plan(served, quota={"limit": 100, "period": "WEEK"})
    bare = new_plan(served, name="bare")
    limits = ops(("add", "/quota/limit", "5"), ("add", "/quota/period", "DAY"))

    created = served.client.get_usage_plan(usagePlanId=plan)["quota"]
    added = served.client.update_usage_plan(usagePlanId=bare, patchOperations=limits)["quota"]
    changes = ops(("replace", "/quota/offset", "3"), ("remove", "/quota/offset", None))
    removed = served.client.update_usage_plan(usagePlanId=plan, patchOperations=changes)["quota"]

    assert created == removed == {"limit": 100, "offset": 0, "period": "WEEK"}
    assert added == {"limit": 5, "offset": 0, "period": "DAY"}


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        pytest.param({"name": ""}, (BAD, 400, "name cannot be null or empty"), id="no name"),
        pytest.param({"quota": {"limit": 1}}, (BAD, 400, "period"), id="no period"),
        pytest.param({"quota": {"period": "DAY"}}, (BAD, 400, "greater than zero"), id="no limit"),
        pytest.param(
            {"quota": {"limit": 1, "period": "DAY", "offset": 1}}, (BAD, 400, "0 to 0"), id="offset"
        ),
        pytest.param({"quota": {"limit": 1, "period": "YEAR"}}, (BAD, 400, "[DAY, "), id="year"),
        pytest.param({"throttle": {"rateLimit": -1.0}}, (BAD, 400, "negative"), id="negative"),
        pytest.param(
            {"apiStages": [{"apiId": "a", "stage": "b"}]},
            (NOT_FOUND, 404, "API Stage not found: a:b"),
            id="no stage",
        ),
        pytest.param({"apiStages": [{"apiId": "a"}]}, (BAD, 400, "apiId and stage"), id="half"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    served: ServedApis, refused: Refused, settings: dict[str, Any], answer: tuple[str, int, str]
) -> None:
    code, status, text = refused(served.client.create_usage_plan, **{"name": "gold", **settings})

    assert (code, status) == answer[:2]
    assert answer[2] in text
    assert served.client.get_usage_plans()["items"] == []


def test_a_plan_is_changed_by_patches(served: ServedApis, api: str) -> None:
    plan = new_plan(served, throttle={"rateLimit": 1.0}, quota={"limit": 1, "period": "DAY"})
    path = f"/apiStages/{api}:prod/throttle"

    changed = served.client.update_usage_plan(
        usagePlanId=plan,
        patchOperations=ops(
            ("replace", "/name", "silver"),
            ("replace", "/throttle/rateLimit", "2.5"),
            ("replace", "/throttle/burstLimit", "3"),
            ("replace", "/quota/limit", "50"),
            ("replace", "/quota/period", "MONTH"),
            ("replace", "/quota/offset", "27"),
            ("add", "/apiStages", f"{api}:prod"),
            ("replace", f"{path}/~1orders~1{{id}}/GET/rateLimit", "4"),
            ("replace", f"{path}/orders/{{id}}/GET/burstLimit", "5"),
            ("replace", f"{path}//GET/rateLimit", "6"),
            ("replace", f"{path}/~1a/POST/rateLimit", "7"),
            ("remove", f"{path}/~1a/POST", None),
        ),
    )

    assert changed["name"] == "silver"
    assert changed["throttle"] == {"rateLimit": 2.5, "burstLimit": 3}
    assert changed["quota"] == {"limit": 50, "period": "MONTH", "offset": 27}
    (stage,) = changed["apiStages"]
    assert stage["throttle"] == {
        "/orders/{id}/GET": {"rateLimit": 4.0, "burstLimit": 5},
        "//GET": {"rateLimit": 6.0},
    }


def test_parts_of_a_plan_are_removed(served: ServedApis, api: str) -> None:
    stage = {"apiId": api, "stage": "prod", "throttle": {"/orders/GET": {"rateLimit": 1.0}}}
    plan = new_plan(
        served, throttle={"rateLimit": 1.0}, quota={"limit": 1, "period": "DAY"}, apiStages=[stage]
    )

    changed = served.client.update_usage_plan(
        usagePlanId=plan,
        patchOperations=ops(
            ("remove", "/throttle", None),
            ("remove", "/quota", None),
            ("remove", f"/apiStages/{api}:prod/throttle", None),
        ),
    )
    bare = served.client.update_usage_plan(
        usagePlanId=plan, patchOperations=ops(("remove", "/apiStages", f"{api}:prod"))
    )

    assert "throttle" not in changed
    assert "quota" not in changed
    assert changed["apiStages"] == [{"apiId": api, "stage": "prod"}]
    assert bare["apiStages"] == []


def test_a_stage_without_throttles_shows_none(served: ServedApis, api: str) -> None:
    stage = {"apiId": api, "stage": "prod", "throttle": {"/orders/GET": {"rateLimit": 1.0}}}
    plan = new_plan(served, apiStages=[stage])
    path = f"/apiStages/{api}:prod/throttle/~1orders/GET"

    for patch in (f"{path}/rateLimit", path):
        changed = served.client.update_usage_plan(
            usagePlanId=plan, patchOperations=ops(("remove", patch, None))
        )
        assert changed["apiStages"] == [{"apiId": api, "stage": "prod"}]


@pytest.mark.parametrize(
    ("patch", "answer"),
    [
        pytest.param(("add", "/apiStages", "API:prod"), (CONFLICT, 409, "already"), id="twice"),
        pytest.param(("add", "/apiStages", "API:x"), (NOT_FOUND, 404, "not found"), id="no stage"),
        pytest.param(("remove", "/apiStages", "a:b"), (NOT_FOUND, 404, "a:b"), id="not in it"),
        pytest.param(
            ("replace", "/apiStages/a:b/throttle/x/GET/rateLimit", "1"),
            (NOT_FOUND, 404, "API Stage not found: a:b"),
            id="throttle of no stage",
        ),
        pytest.param(
            ("replace", "/apiStages/API:prod/throttle/x/get/rateLimit", "1"),
            (BAD, 400, "It must be like /orders/GET"),
            id="no method",
        ),
        pytest.param(("replace", "/quota/limit", "0"), (BAD, 400, "period"), id="quota"),
        pytest.param(("replace", "/throttle/rateLimit", "x"), (BAD, 400, "number"), id="rate"),
        pytest.param(("replace", "/productCode", "x"), (BAD, 400, "patch path"), id="path"),
    ],
)
def test_a_plan_patch_that_cannot_be_changes_nothing(
    served: ServedApis,
    api: str,
    refused: Refused,
    patch: tuple[str, str, str],
    answer: tuple[str, int, str],
) -> None:
    plan = new_plan(served, apiStages=[{"apiId": api, "stage": "prod"}])
    op, path, value = (part.replace("API", api) for part in patch)

    code, status, text = refused(
        served.client.update_usage_plan,
        usagePlanId=plan,
        patchOperations=ops(("replace", "/description", "lost"), (op, path, value)),
    )

    assert (code, status) == answer[:2]
    assert answer[2] in text
    assert "description" not in served.client.get_usage_plan(usagePlanId=plan)


def test_a_stage_of_a_plan_has_20_method_throttles_at_most(
    served: ServedApis, api: str, refused: Refused
) -> None:
    throttle = {f"/r{number}/GET": {"rateLimit": 1.0} for number in range(21)}
    stage = {"apiId": api, "stage": "prod", "throttle": throttle}

    assert refused(served.client.create_usage_plan, name="a", apiStages=[stage])[:2] == (LIMIT, 429)
    throttle.pop("/r20/GET")
    assert new_plan(served, apiStages=[stage])


def test_a_plan_with_stages_is_not_deleted(served: ServedApis, api: str, refused: Refused) -> None:
    plan = new_plan(served, apiStages=[{"apiId": api, "stage": "prod"}])

    kept = refused(served.client.delete_usage_plan, usagePlanId=plan)
    served.client.delete_stage(restApiId=api, stageName="prod")
    without = served.client.get_usage_plan(usagePlanId=plan)["apiStages"]
    assert served.ledger.forgotten == []
    served.client.delete_usage_plan(usagePlanId=plan)
    assert served.ledger.forgotten == [plan]

    assert kept[:2] == (BAD, 400)
    assert without == []
    message = "Invalid Usage Plan ID specified"
    assert refused(served.client.get_usage_plan, usagePlanId=plan) == (NOT_FOUND, 404, message)


# Keys in plans


def test_a_key_is_in_plans(served: ServedApis) -> None:
    first, second, other = new_plan(served), new_plan(served), new_plan(served)
    key = new_key(served, value="v" * 20)

    joined = join(served, first, key)
    join(served, second, key)

    del joined["ResponseMetadata"]
    assert joined == {"id": key, "type": "API_KEY", "value": "v" * 20, "name": "one"}
    (listed,) = served.client.get_usage_plan_keys(usagePlanId=first, nameQuery="on")["items"]
    assert listed == joined
    assert served.client.get_usage_plan_keys(usagePlanId=first, nameQuery="x")["items"] == []
    plans = {it["id"] for it in served.client.get_usage_plans(keyId=key)["items"]}
    assert plans == {first, second}
    assert other not in plans


def test_a_key_leaves_a_plan(served: ServedApis, refused: Refused) -> None:
    plan, key = new_plan(served), new_key(served)
    join(served, plan, key)

    served.client.delete_usage_plan_key(usagePlanId=plan, keyId=key)

    answer = refused(served.client.get_usage_plan_key, usagePlanId=plan, keyId=key)
    assert answer[:2] == (NOT_FOUND, 404)
    assert served.client.get_api_key(apiKey=key)["id"] == key


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        pytest.param({}, (CONFLICT, 409), id="twice"),
        pytest.param({"keyType": "X"}, (BAD, 400), id="type"),
        pytest.param({"keyId": "x"}, (NOT_FOUND, 404), id="no key"),
        pytest.param({"usagePlanId": "x"}, (NOT_FOUND, 404), id="no plan"),
    ],
)
def test_a_key_that_cannot_join_is_refused(
    served: ServedApis, refused: Refused, changes: dict[str, str], answer: tuple[str, int]
) -> None:
    plan, key = new_plan(served), new_key(served)
    join(served, plan, key)
    arguments = {"usagePlanId": plan, "keyId": key, "keyType": "API_KEY", **changes}

    assert refused(served.client.create_usage_plan_key, **arguments)[:2] == answer


def test_a_key_has_one_plan_for_each_stage(served: ServedApis, api: str, refused: Refused) -> None:
    stages = [{"apiId": api, "stage": "prod"}]
    first, second, third = (
        new_plan(served, apiStages=stages),
        new_plan(served, apiStages=stages),
        new_plan(served),
    )
    key = new_key(served)
    join(served, first, key)
    join(served, third, key)

    joined = refused(join, served=served, plan=second, key=key)
    added = refused(
        served.client.update_usage_plan,
        usagePlanId=third,
        patchOperations=ops(("add", "/apiStages", f"{api}:prod")),
    )

    assert joined[:2] == (CONFLICT, 409)
    assert added[:2] == (CONFLICT, 409)


def test_a_key_is_in_10_plans_at_most(served: ServedApis, refused: Refused) -> None:
    key = new_key(served)
    for _ in range(10):
        join(served, new_plan(served), key)

    answer = refused(join, served=served, plan=new_plan(served), key=key)

    assert answer[:2] == (LIMIT, 429)


def test_there_are_300_plans_at_most(served: ServedApis, refused: Refused) -> None:
    for number in range(300):
        served.state.usage_plans[f"p{number}"] = {"id": f"p{number}", "name": "a", "apiStages": []}

    assert refused(served.client.create_usage_plan, name="one")[:2] == (LIMIT, 429)


# Usage


def test_usage_comes_from_the_ledger(served: ServedApis) -> None:
    plan = new_plan(served, quota={"limit": 10, "period": "DAY"})
    keys = [new_key(served, value=f"{number}" * 20) for number in range(3)]
    for key in keys:
        join(served, plan, key)
    arguments = {"usagePlanId": plan, "startDate": "2026-09-20", "endDate": "2026-09-21"}

    usage = served.client.get_usage(**arguments)
    one = served.client.get_usage(**arguments, keyId=keys[1])
    pages = list(
        served.client.get_paginator("get_usage").paginate(
            **arguments, PaginationConfig={"PageSize": 2}
        )
    )

    assert usage["items"] == {key: [[3, 7], [3, 7]] for key in keys}
    assert (usage["startDate"], usage["endDate"]) == ("2026-09-20", "2026-09-21")
    assert one["items"] == {keys[1]: [[3, 7], [3, 7]]}
    assert served.ledger.asked[-1][2:] == (date(2026, 9, 20), date(2026, 9, 21))
    assert [len(page["items"]) for page in pages] == [2, 1]


def test_what_remains_is_set(served: ServedApis, refused: Refused) -> None:
    plan, key = new_plan(served, quota={"limit": 10, "period": "DAY"}), new_key(served)
    join(served, plan, key)
    named = {"usagePlanId": plan, "keyId": key}

    updated = served.client.update_usage(
        **named, patchOperations=ops(("replace", "/remaining", "5"))
    )

    assert updated["items"] == {key: [[3, 5]]}
    assert updated["startDate"] == updated["endDate"] == "2026-09-21"
    for patch in (
        ("replace", "/remaining", "-1"),
        ("replace", "/remaining", "x"),
        ("replace", "/used", "1"),
        ("remove", "/remaining", None),
    ):
        answer = refused(served.client.update_usage, **named, patchOperations=ops(patch))
        assert answer[:2] == (BAD, 400)
    assert served.ledger.remaining == 5


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        pytest.param({"startDate": "2026-9-1"}, (BAD, 400), id="form"),
        pytest.param({"startDate": "2026-02-30"}, (BAD, 400), id="no such day"),
        pytest.param({"startDate": "2026-09-22"}, (BAD, 400), id="backwards"),
        pytest.param({"startDate": "2000-01-01"}, (BAD, 400), id="long"),
        pytest.param({"keyId": "x"}, (NOT_FOUND, 404), id="no key"),
        pytest.param({"usagePlanId": "x"}, (NOT_FOUND, 404), id="no plan"),
    ],
)
def test_usage_that_cannot_be_is_refused(
    served: ServedApis, refused: Refused, changes: dict[str, str], answer: tuple[str, int]
) -> None:
    arguments = {
        "usagePlanId": new_plan(served),
        "startDate": "2026-09-20",
        "endDate": "2026-09-21",
        **changes,
    }

    assert refused(served.client.get_usage, **arguments)[:2] == answer


def test_a_plan_without_quota_has_nothing_to_set(served: ServedApis, refused: Refused) -> None:
    plan, key = new_plan(served), new_key(served)
    join(served, plan, key)

    answer = refused(
        served.client.update_usage,
        usagePlanId=plan,
        keyId=key,
        patchOperations=ops(("replace", "/remaining", "5")),
    )

    assert answer[:2] == (BAD, 400)
