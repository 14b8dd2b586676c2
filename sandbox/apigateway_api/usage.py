"""What clients have used of the quotas of usage plans."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime

from sandbox.apigateway_api.context import Operation, Output, Parameters, RestApiContext
from sandbox.apigateway_api.paging import page_of_keys
from sandbox.apigateway_api.patching import as_whole, invalid_path, read_patches
from sandbox.apigateway_api.refusing import bad_request, not_found
from sandbox.apigateway_api.state import Document

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Bounds the answer: a pair for each day and key. How far back AWS answers is not documented.
_MAX_DAYS = 366


class UsageOperations:
    """The operations on usage."""

    def __init__(self, context: RestApiContext) -> None:
        self._context = context
        self._state = context.state

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {"GetUsage": self.get, "UpdateUsage": self.update}

    def get(self, parameters: Parameters) -> Output:
        """The used and remaining requests of each key, one pair a day."""
        plan = self._state.usage_plan(parameters["usagePlanId"])
        start, end = _date(parameters["startDate"]), _date(parameters["endDate"])
        if end < start or (end - start).days >= _MAX_DAYS:
            raise bad_request(
                f"endDate must be from startDate to {_MAX_DAYS - 1} days after it (got "
                f"{start} to {end})"
            )
        key_ids = self._state.plan_keys[plan["id"]]
        if parameters.get("keyId"):
            self._check_key(plan, parameters["keyId"])
            key_ids = [parameters["keyId"]]
        shown, position = page_of_keys(dict.fromkeys(key_ids), parameters)
        return {**self._usage(plan["id"], shown, start, end), "position": position}

    def update(self, parameters: Parameters) -> Output:
        """Sets how many requests a key has left: `replace /remaining`."""
        plan = self._state.usage_plan(parameters["usagePlanId"])
        self._check_key(plan, parameters["keyId"])
        remaining = None
        for patch in read_patches(parameters):
            if (patch.op, patch.path) != ("replace", "/remaining"):
                raise invalid_path(patch, ["/remaining"] if patch.op == "replace" else [])
            remaining = as_whole(patch.text(), patch.path)
            if remaining < 0:
                raise bad_request("Invalid value in /remaining: it must not be negative")
        if "quota" not in plan:
            raise bad_request(f"Usage Plan {plan['id']} has no quota")
        if remaining is not None:
            self._context.ledger.set_remaining(plan["id"], parameters["keyId"], remaining)
        today = datetime.fromtimestamp(self._context.now_s(), UTC).date()
        return self._usage(plan["id"], [parameters["keyId"]], today, today)

    def _check_key(self, plan: Document, key_id: str) -> None:
        if key_id not in self._state.plan_keys[plan["id"]]:
            raise not_found("API Key identifier")

    def _usage(self, plan_id: str, key_ids: list[str], start: date, end: date) -> Output:
        ledger = self._context.ledger
        return {
            "usagePlanId": plan_id,
            "startDate": start.isoformat(),
            "endDate": end.isoformat(),
            "items": {
                key_id: [list(pair) for pair in ledger.used_by_day(plan_id, key_id, start, end)]
                for key_id in key_ids
            },
        }


def _date(text: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise bad_request(f"Invalid date specified: {text}. It must be like 2026-01-31")
