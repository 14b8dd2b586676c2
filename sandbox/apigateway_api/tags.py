"""Tags of APIs, stages, usage plans and API keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from sandbox.apigateway_api.context import Operation, Output, Parameters, RestApiContext
from sandbox.apigateway_api.refusing import bad_request, not_found
from sandbox.apigateway_api.state import Document, RestApi

# Developer guide, "Tag restrictions": 50 a resource, and how long keys and values may be.
MAX_TAGS, MAX_KEY_LENGTH, MAX_VALUE_LENGTH = 50, 128, 256

# A document that has tags, and what puts a changed one in its place.
_Tagged = tuple[Document, Callable[[Document], None]]


class TagOperations:
    """The operations on tags."""

    def __init__(self, context: RestApiContext) -> None:
        self._context = context

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {"GetTags": self.get, "TagResource": self.tag, "UntagResource": self.untag}

    def get(self, parameters: Parameters) -> Output:
        """The tags of one thing."""
        document, _ = self._find(parameters["resourceArn"])
        return {"tags": document.get("tags", {})}

    def tag(self, parameters: Parameters) -> None:
        """Adds tags."""
        document, put = self._find(parameters["resourceArn"])
        tags = {**document.get("tags", {}), **parameters["tags"]}
        check_tags(tags)
        put({**document, "tags": tags})

    def untag(self, parameters: Parameters) -> None:
        """Removes tags; those that are not there are removed already."""
        document, put = self._find(parameters["resourceArn"])
        gone = parameters["tagKeys"]
        kept = {key: value for key, value in document.get("tags", {}).items() if key not in gone}
        put({**document, "tags": kept})

    def _find(self, arn: str) -> _Tagged:
        """What has an ARN like `arn:aws:apigateway:us-east-1::/restapis/abc/stages/prod`."""
        prefix, _, path = arn.partition("::/")
        region = re.escape(self._context.home.region)
        if re.fullmatch(rf"arn:aws[a-z-]*:apigateway:{region}", prefix) is None:
            raise bad_request(f"Invalid ARN specified in the request: {arn}")
        state = self._context.state
        match path.split("/"):
            case ["restapis", api_id]:
                api = state.api(self._context.home, api_id)
                return api.document, partial(_set_document, api)
            case ["restapis", api_id, "stages", name]:
                stages = state.api(self._context.home, api_id)
                return stages.stage(name), partial(stages.stages.__setitem__, name)
            case ["usageplans", plan_id]:
                plan = state.usage_plan(plan_id)
                return plan, partial(state.usage_plans.__setitem__, plan_id)
            case ["apikeys", key_id]:
                return state.api_key(key_id), partial(state.api_keys.__setitem__, key_id)
        raise not_found("resource ARN")


def check_tags(tags: Mapping[str, str]) -> None:
    """Refuses tags that nothing can have.

    Raises:
        ApiError: there are too many, one is too long, or its key is one of AWS's own.
    """
    if len(tags) > MAX_TAGS:
        raise bad_request(f"A resource has at most {MAX_TAGS} tags")
    for key, value in tags.items():
        if not 0 < len(key) <= MAX_KEY_LENGTH or key.lower().startswith("aws:"):
            raise bad_request(
                f"Invalid tag key {key}: it has 1 to {MAX_KEY_LENGTH} characters, and does not "
                "begin with aws:"
            )
        if len(value) > MAX_VALUE_LENGTH:
            raise bad_request(f"The value of tag {key} has more than {MAX_VALUE_LENGTH} characters")


def _set_document(api: RestApi, document: Document) -> None:
    api.document = document
