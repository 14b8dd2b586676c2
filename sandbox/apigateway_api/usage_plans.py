"""Usage plans, and which API keys are in them."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.apigateway_api.context import Operation, Output, Parameters, RestApiContext, chosen
from sandbox.apigateway_api.paging import page
from sandbox.apigateway_api.patching import patched, read_patches
from sandbox.apigateway_api.plan_rules import check_plan, method_key, plan_rules
from sandbox.apigateway_api.refusing import bad_request, conflict, limit_exceeded, not_found
from sandbox.apigateway_api.state import SHORT_ID, Document, new_id
from sandbox.apigateway_api.tags import check_tags

# "Usage plans per account, per Region" and "API keys per usage plan" quotas (2026).
MAX_PLANS, MAX_PLANS_OF_KEY = 300, 10

_KEPT = ("name", "description", "throttle", "quota", "tags")


class UsagePlanOperations:
    """The operations on usage plans and their keys."""

    def __init__(self, context: RestApiContext) -> None:
        self._state, self._ledger = context.state, context.ledger

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {
            "CreateUsagePlan": self.create,
            "GetUsagePlan": self.get,
            "GetUsagePlans": self.list,
            "UpdateUsagePlan": self.update,
            "DeleteUsagePlan": self.delete,
            "CreateUsagePlanKey": self.add_key,
            "GetUsagePlanKey": self.get_key,
            "GetUsagePlanKeys": self.list_keys,
            "DeleteUsagePlanKey": self.remove_key,
        }

    def create(self, parameters: Parameters) -> Output:
        """Creates a usage plan."""
        if len(self._state.usage_plans) >= MAX_PLANS:
            raise limit_exceeded(f"There are {MAX_PLANS} usage plans already")
        check_tags(parameters.get("tags", {}))
        plan = {
            "id": new_id(SHORT_ID, self._state.usage_plans),
            "apiStages": [_stage(entry) for entry in parameters.get("apiStages", ())],
            **chosen(parameters, _KEPT),
        }
        plan = _with_offset(plan)
        check_plan(plan, self._state.apis)
        self._state.usage_plans[plan["id"]] = plan
        self._state.plan_keys[plan["id"]] = []
        return plan

    def get(self, parameters: Parameters) -> Output:
        """One usage plan."""
        return self._state.usage_plan(parameters["usagePlanId"])

    def list(self, parameters: Parameters) -> Output:
        """One page of the usage plans, of those with a key where it is given."""
        plans = self._state.usage_plans
        if parameters.get("keyId"):
            self._state.api_key(parameters["keyId"])
            plans = {key: plans[key] for key in self._state.plans_of_key(parameters["keyId"])}
        return page(plans, parameters)

    def update(self, parameters: Parameters) -> Output:
        """Changes a usage plan, at once for the requests that follow."""
        old = self._state.usage_plan(parameters["usagePlanId"])
        patches = read_patches(parameters)
        plan = _with_offset(patched(old, patches, plan_rules(patches)))
        check_plan(plan, self._state.apis)
        for key_id in self._state.plan_keys[plan["id"]]:
            self._check_stages(plan, key_id)
        self._state.usage_plans[plan["id"]] = plan
        return plan

    def delete(self, parameters: Parameters) -> None:
        """Deletes a usage plan that has no stages any more, with what was used of its quota."""
        plan = self._state.usage_plan(parameters["usagePlanId"])
        if plan["apiStages"]:
            raise bad_request(
                f"Cannot delete Usage Plan {plan['id']} because of existing API stages. Remove "
                "them from the usage plan first"
            )
        del self._state.usage_plans[plan["id"]]
        del self._state.plan_keys[plan["id"]]
        self._ledger.forget_plan(plan["id"])

    def add_key(self, parameters: Parameters) -> Output:
        """Puts an API key into a usage plan."""
        plan = self._state.usage_plan(parameters["usagePlanId"])
        if parameters["keyType"] != "API_KEY":
            raise bad_request("Usage Plan key type must be API_KEY")
        key = self._state.api_key(parameters["keyId"])
        plan_ids = self._state.plans_of_key(key["id"])
        if plan["id"] in plan_ids:
            raise conflict(f"API Key {key['id']} is already in Usage Plan {plan['id']}")
        if len(plan_ids) >= MAX_PLANS_OF_KEY:
            raise limit_exceeded(f"An API key can be in at most {MAX_PLANS_OF_KEY} usage plans")
        self._check_stages(plan, key["id"])
        self._state.plan_keys[plan["id"]].append(key["id"])
        return _shown_key(key)

    def get_key(self, parameters: Parameters) -> Output:
        """One key of a usage plan."""
        return _shown_key(self._key(parameters))

    def list_keys(self, parameters: Parameters) -> Output:
        """One page of the keys of a usage plan, of those whose name begins as asked."""
        plan = self._state.usage_plan(parameters["usagePlanId"])
        keys = [self._state.api_keys[key_id] for key_id in self._state.plan_keys[plan["id"]]]
        start = parameters.get("nameQuery", "")
        shown = {
            key["id"]: _shown_key(key) for key in keys if key.get("name", "").startswith(start)
        }
        return page(shown, parameters)

    def remove_key(self, parameters: Parameters) -> None:
        """Takes an API key out of a usage plan."""
        key = self._key(parameters)
        self._state.plan_keys[parameters["usagePlanId"]].remove(key["id"])

    def _key(self, parameters: Parameters) -> Document:
        plan = self._state.usage_plan(parameters["usagePlanId"])
        if parameters["keyId"] not in self._state.plan_keys[plan["id"]]:
            raise not_found("API Key identifier")
        return self._state.api_key(parameters["keyId"])

    def _check_stages(self, plan: Document, key_id: str) -> None:
        """Holds that a key is in one plan only for each stage (developer guide, usage plans)."""
        stages = _stage_names(plan)
        for other_id in self._state.plans_of_key(key_id):
            if other_id == plan["id"]:
                continue
            common = stages & _stage_names(self._state.usage_plans[other_id])
            if common:
                raise conflict(
                    f"API Key {key_id} is already in Usage Plan {other_id}, which has the API "
                    f"stage {min(common)} as well"
                )


def _stage(entry: Document) -> Document:
    """A stage of a plan as it is kept: with the one way to write each method."""
    if not entry.get("apiId") or not entry.get("stage"):
        raise bad_request("An API stage needs apiId and stage")
    stage = {"apiId": entry["apiId"], "stage": entry["stage"]}
    throttles = {method_key(name): limit for name, limit in entry.get("throttle", {}).items()}
    return {**stage, "throttle": throttles} if throttles else stage


def _with_offset(plan: Document) -> Document:
    """A plan whose quota shows its offset, also where that is 0 (AWS CLI, create-usage-plan)."""
    return {**plan, "quota": {"offset": 0, **plan["quota"]}} if "quota" in plan else plan


def _stage_names(plan: Document) -> set[str]:
    return {f"{entry['apiId']}:{entry['stage']}" for entry in plan["apiStages"]}


def _shown_key(key: Document) -> Output:
    return {"type": "API_KEY", **chosen(key, ("id", "value", "name"))}
