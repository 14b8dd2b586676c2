"""API Gateway, REST APIs: deployments, stages and their throttles."""

from __future__ import annotations

from tests.contract.account import Account, http_status, refused
from tests.contract.apis import STAGE, RestApi
from tests.contract.step import step


@step(moto="no tracingEnabled")
def a_deployment_makes_the_stage(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    deployment = api.client.create_deployment(restApiId=api.id, stageName=STAGE)
    assert http_status(deployment) == 201
    stage = api.client.get_stage(restApiId=api.id, stageName=STAGE)
    assert (stage["stageName"], stage["deploymentId"]) == (STAGE, deployment["id"])
    assert (stage["cacheClusterEnabled"], stage["tracingEnabled"]) == (False, False)
    assert stage["methodSettings"] == {}
    missing = refused(api.client.get_stage, restApiId=api.id, stageName="none")
    assert missing == ("NotFoundException", 404)


@step(moto="a new deployment does not take over the stage", ministack="deletes it")
def a_deployment_in_use_stays(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    first = api.deploy()
    delete = api.client.delete_deployment
    held = refused(delete, restApiId=api.id, deploymentId=first)
    assert held == ("BadRequestException", 400)
    api.deploy()
    assert http_status(delete(restApiId=api.id, deploymentId=first)) == 202


@step(ministack="makes it again")
def a_stage_of_a_name_is_made_once(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    deployment = api.deploy()
    named = {"restApiId": api.id, "deploymentId": deployment}
    assert http_status(api.client.create_stage(**named, stageName="beta")) == 201
    taken = refused(api.client.create_stage, **named, stageName="beta")
    assert taken == ("ConflictException", 409)
    stages = api.client.get_stages(restApiId=api.id)["item"]
    assert {each["stageName"] for each in stages} == {"beta", STAGE}
    assert http_status(api.client.delete_stage(restApiId=api.id, stageName="beta")) == 202


@step()
def a_stage_has_a_throttle(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    api.deploy()
    stage = api.patch_stage(
        {"/*/*/throttling/rateLimit": "25.5", "/*/*/throttling/burstLimit": "9"}
    )
    settings = stage["methodSettings"]["*/*"]
    assert (settings["throttlingRateLimit"], settings["throttlingBurstLimit"]) == (25.5, 9)
    assert (settings["metricsEnabled"], settings["cachingEnabled"]) == (False, False)
    assert (
        api.client.get_stage(restApiId=api.id, stageName=STAGE)["methodSettings"]
        == (stage["methodSettings"])
    )


@step(ministack="the key begins with a slash that is not escaped")
def a_method_has_a_throttle_of_its_own(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    api.deploy()
    stage = api.patch_stage(
        {
            "/~1orders/GET/throttling/rateLimit": "2",
            "/~1orders/GET/throttling/burstLimit": "3",
        }
    )
    # As it was patched: the AWS CLI's examples of update-stage.
    assert list(stage["methodSettings"]) == ["~1orders/GET"]
    settings = stage["methodSettings"]["~1orders/GET"]
    assert (settings["throttlingRateLimit"], settings["throttlingBurstLimit"]) == (2.0, 3)


@step(moto="keeps it")
def a_throttle_is_removed(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    api.deploy()
    api.patch_stage({"/*/*/throttling/rateLimit": "2", "/*/*/throttling/burstLimit": "3"})
    stage = api.client.update_stage(
        restApiId=api.id, stageName=STAGE, patchOperations=[{"op": "remove", "path": "/*/*"}]
    )
    assert stage["methodSettings"] == {}


@step(moto="ignores paths that it does not know", ministack="ignores paths that it does not know")
def a_patch_names_what_there_is(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    api.deploy()
    for path, value in (
        ("/nothing", "1"),
        ("/*/*/throttling/nothing", "1"),
        ("/*/*/throttling/rateLimit", "fast"),
        ("/deploymentId", "nowhere"),
    ):
        wrong = refused(
            api.client.update_stage,
            restApiId=api.id,
            stageName=STAGE,
            patchOperations=[{"op": "replace", "path": path, "value": value}],
        )
        assert wrong == ("BadRequestException", 400), path


@step()
def variables_are_patched(aws: Account) -> None:
    api = RestApi(aws)
    api.mock("/orders")
    api.deploy()
    stage = api.patch_stage({"/variables/version": "live"})
    assert stage["variables"] == {"version": "live"}
