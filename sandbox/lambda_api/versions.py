"""Publishing and listing versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sandbox.api_errors import ApiError
from sandbox.lambda_api.context import (
    LambdaContext,
    Operation,
    Output,
    Parameters,
    check_changeable,
    check_revision,
    page,
    version_key,
)
from sandbox.lambda_api.presentation import configuration, listed_configuration
from sandbox.lambda_api.records import Function, Version, new_id, now_text

_PAGE = 50


def publish(function: Function, description: str | None) -> tuple[Function, Version]:
    """`function` with `$LATEST` frozen as its next version, and that version.

    Where nothing changed since the last published version, that one is given back and nothing is
    published. Numbers count on after deletions.
    """
    latest = function.latest
    last = function.versions.get(str(function.next_version - 1))
    if last is not None and last.same_content(latest):
        return function, last
    number = str(function.next_version)
    settings = latest.settings
    if description is not None:
        settings = replace(settings, description=description)
    version = Version(
        number,
        settings,
        latest.code,
        revision_id=new_id(),
        config_id=new_id(),
        last_modified=now_text(),
        published_description=latest.settings.description,
    )
    versions = {**function.versions, number: version}
    return replace(function, versions=versions, next_version=function.next_version + 1), version


class VersionOperations:
    """The operations on published versions."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context
        self._home = context.home

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {"PublishVersion": self.publish, "ListVersionsByFunction": self.list}

    def publish(self, parameters: Parameters) -> Output:
        """Freezes `$LATEST`."""
        name = self._home.resolve_function(parameters["FunctionName"])
        function = self._context.function(name)
        check_changeable(self._home, function)
        check_revision(parameters.get("RevisionId"), function.latest.revision_id)
        _check_sha256(parameters.get("CodeSha256"), function.latest.code.sha256)
        changed, version = publish(function, parameters.get("Description"))
        if changed is not function:
            self._context.publish(changed, version)
        shown = self._context.function(name)
        return configuration(shown, version, arn=self._home.function_arn(name, version.number))

    def list(self, parameters: Parameters) -> Output:
        """One page of the versions, `$LATEST` first."""
        name = self._home.resolve_function(parameters["FunctionName"])
        function = self._context.function(name)
        items = [
            listed_configuration(
                function, version, arn=self._home.function_arn(name, version.number)
            )
            for version in (function.latest, *function.versions.values())
        ]
        shown, marker = page(items, version_key, parameters, largest=_PAGE)
        return {"Versions": shown, "NextMarker": marker}


def _check_sha256(given: str | None, current: str) -> None:
    # An empty one is none: that is how AWS takes it, and what some SDKs send.
    if given and given != current:
        raise ApiError(
            "InvalidParameterValueException",
            f"CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({current}). "
            "Please try again with the CodeSHA256 in $LATEST.",
        )
