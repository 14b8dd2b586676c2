"""Tags of APIs and stages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.apigatewayv2_api.context import HttpApiContext, find, given
from sandbox.apigatewayv2_api.errors import bad_request, not_found
from sandbox.apigatewayv2_api.state import Document
from sandbox.rest_json.service import Operation

_ARN = re.compile(
    r"arn:aws[a-z-]*:apigateway:(?P<region>[a-z0-9-]+):\d*:"
    r":?/(?:v2/)?apis/(?P<api>[^/]+)(?:/stages/(?P<stage>[^/]+))?"
)
# AWS General Reference, tag limits (2026).
_MOST_TAGS = 50
_LONGEST_KEY = 128
_LONGEST_VALUE = 256


class TagOperations:
    """The operations on tags."""

    def __init__(self, context: HttpApiContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """By name."""
        return {"GetTags": self.get, "TagResource": self.add, "UntagResource": self.remove}

    def get(self, parameters: Mapping[str, Any]) -> Document:
        """The tags of an API or a stage."""
        return {"Tags": dict(self._find(parameters["ResourceArn"]).get("Tags", {}))}

    def add(self, parameters: Mapping[str, Any]) -> Document:
        """Adds tags and replaces those of the same names."""
        arn = parameters["ResourceArn"]
        self._replace(arn, {**self._find(arn).get("Tags", {}), **parameters.get("Tags", {})})
        return {}

    def remove(self, parameters: Mapping[str, Any]) -> None:
        """Removes tags; those that are not there are no error."""
        arn = parameters["ResourceArn"]
        self._replace(arn, given(self._find(arn).get("Tags", {}), *parameters["TagKeys"]))

    def _find(self, arn: str) -> Document:
        api_id, stage_name = self._parse(arn)
        api = self._context.api({"ApiId": api_id})
        return api.document if stage_name is None else find(api.stages, stage_name, "stage")

    def _replace(self, arn: str, tags: Mapping[str, str]) -> None:
        check_tags(tags)
        api_id, stage_name = self._parse(arn)
        api = self._context.api({"ApiId": api_id})
        changed = {**self._find(arn), "Tags": dict(tags)}
        if stage_name is None:
            api.document = changed
        else:
            api.stages[stage_name] = changed
        self._context.on_change()

    def _parse(self, arn: str) -> tuple[str, str | None]:
        found = _ARN.fullmatch(arn)
        if found is None:
            raise bad_request(f"Invalid resource ARN: {arn}")
        if found["region"] != self._context.home.region:
            raise not_found(f"Invalid resource ARN: {arn} is of another region")
        return found["api"], found["stage"]


def check_tags(tags: Mapping[str, str]) -> None:
    """Checks tags by the limits that all of AWS has.

    Raises:
        ApiError: there are too many, or one is too long, or its name begins with "aws:".
    """
    if len(tags) > _MOST_TAGS:
        raise bad_request(f"A resource can have {_MOST_TAGS} tags at most (got {len(tags)})")
    for key, value in tags.items():
        if not 1 <= len(key) <= _LONGEST_KEY or key.lower().startswith("aws:"):
            raise bad_request(f"Invalid tag key: {key}")
        if len(value) > _LONGEST_VALUE:
            raise bad_request(f"Invalid tag value of {key}: more than {_LONGEST_VALUE} characters")
