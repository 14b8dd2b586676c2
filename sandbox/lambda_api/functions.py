"""Creating, reading, changing and deleting functions."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import replace

from sandbox.api_errors import ApiError
from sandbox.execution.model import MODEL_VARIABLE
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
from sandbox.lambda_api.names import LATEST, FunctionReference
from sandbox.lambda_api.presentation import configuration, listed_configuration
from sandbox.lambda_api.records import Code, Function, Settings, Version, new_id, now_text
from sandbox.lambda_api.settings import changed_settings, new_settings
from sandbox.lambda_api.versions import publish

# ListFunctions gives at most 50 functions a page, whatever MaxItems says (API reference).
_PAGE = 50


class FunctionOperations:
    """The operations on functions as wholes and on `$LATEST`."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context
        self._home = context.home

    def operations(self) -> Mapping[str, Operation]:
        """The operations by their name."""
        return {
            "CreateFunction": self.create,
            "GetFunction": self.get,
            "GetFunctionConfiguration": self.get_configuration,
            "ListFunctions": self.list,
            "UpdateFunctionCode": self.update_code,
            "UpdateFunctionConfiguration": self.update_configuration,
            "DeleteFunction": self.delete,
        }

    async def create(self, parameters: Parameters) -> Output:
        """Makes a function, Pending for a moment and then Active."""
        is_image = parameters.get("PackageType", "Zip") != "Zip"
        variables = parameters.get("Environment", {}).get("Variables", {})
        if is_image and MODEL_VARIABLE not in variables:
            raise _invalid("PackageType: the sandbox does not have container images")
        name = self._home.resolve_function(parameters["FunctionName"])
        settings = new_settings({**parameters, "FunctionName": name})
        self._check_memory(settings)
        code = _image(parameters["Code"]) if is_image else await self._package(parameters["Code"])
        # Nothing below waits, so no other call comes between the check and the change.
        if self._context.store.get(name) is not None:
            raise ApiError("ResourceConflictException", f"Function already exist: {name}")
        latest = Version(LATEST, settings, code, new_id(), new_id(), now_text())
        tags = dict(parameters.get("Tags", {}))
        function = Function(name, latest, latest, tags=tags, pending=True)
        shown = latest
        if parameters.get("Publish"):
            function, shown = publish(function, None)
        self._context.change(function)
        arn = self._home.function_arn(name, None if shown is latest else shown.number)
        return configuration(function, shown, arn=arn)

    def get(self, parameters: Parameters) -> Output:
        """The configuration, where the code is, tags and reserved concurrency."""
        target = self._context.target(self._reference(parameters))
        shown: Output = {
            "Configuration": self.get_configuration(parameters),
            "Code": self._where(target.version.code),
        }
        if target.function.tags:
            shown["Tags"] = dict(target.function.tags)
        if target.function.reserved_concurrency is not None:
            shown["Concurrency"] = {
                "ReservedConcurrentExecutions": target.function.reserved_concurrency
            }
        return shown

    def _where(self, code: Code) -> Output:
        if code.image_uri is not None:
            return {
                "RepositoryType": "ECR",
                "ImageUri": code.image_uri,
                "ResolvedImageUri": f"{code.image_uri.split(':')[0]}@sha256:{code.sha256}",
            }
        zip_name = self._context.packages.zip_path(code).name
        return {"RepositoryType": "S3", "Location": f"{self._context.package_url}/{zip_name}"}

    def get_configuration(self, parameters: Parameters) -> Output:
        """The configuration of `$LATEST`, a version or the version of an alias."""
        target = self._context.target(self._reference(parameters))
        arn = self._home.function_arn(target.function.name, target.qualifier)
        return configuration(target.function, target.version, arn=arn)

    def list(self, parameters: Parameters) -> Output:
        """One page of all functions, or of all their versions."""
        everything = parameters.get("FunctionVersion") == "ALL"
        items = []
        for function in self._context.store:
            versions = [function.latest, *function.versions.values()]
            for version in versions if everything else versions[:1]:
                number = version.number if everything else None
                arn = self._home.function_arn(function.name, number)
                items.append(listed_configuration(function, version, arn=arn))
        shown, marker = page(items, version_key, parameters, largest=_PAGE)
        return {"Functions": shown, "NextMarker": marker}

    async def update_code(self, parameters: Parameters) -> Output:
        """Gives `$LATEST` another package."""
        name = self._home.resolve_function(parameters["FunctionName"])
        self._changeable(name, parameters)
        code = await self._package(parameters)
        function = self._changeable(name, parameters)
        settings = function.latest.settings
        if "Architectures" in parameters:
            settings = replace(settings, architecture=parameters["Architectures"][0])
        changed = _with_latest(function, settings, code)
        shown = changed.latest
        if parameters.get("DryRun"):
            return configuration(function, shown, arn=self._home.function_arn(name))
        if parameters.get("Publish"):
            changed, shown = publish(changed, None)
        self._context.change(changed)
        number = None if shown.number == LATEST else shown.number
        return configuration(changed, shown, arn=self._home.function_arn(name, number))

    def update_configuration(self, parameters: Parameters) -> Output:
        """Changes the settings of `$LATEST`; invocations keep the old ones until it is done."""
        name = self._home.resolve_function(parameters["FunctionName"])
        function = self._changeable(name, parameters)
        settings = changed_settings(function.latest.settings, parameters)
        self._check_memory(settings)
        changed = self._context.change(_with_latest(function, settings, function.latest.code))
        return configuration(changed, changed.latest, arn=self._home.function_arn(name))

    def delete(self, parameters: Parameters) -> Output:
        """Deletes a function, or one published version of it.

        A version that does not exist is deleted already.
        """
        reference = self._reference(parameters)
        function = self._context.function(reference.name, reference.qualifier)
        number = reference.qualifier
        if number is None:
            self._context.store.remove(function.name)
            self._context.retire(function.name)
            return {"StatusCode": 204}
        if number == LATEST:
            raise _invalid("$LATEST version cannot be deleted without deleting the function.")
        if not number.isdigit():
            raise _invalid("Deletion of aliases is not currently supported.")
        aliases = function.aliases_of(number)
        if aliases:
            raise ApiError(
                "ResourceConflictException",
                "Unable to delete version because the following aliases reference it: "
                f"[{', '.join(aliases)}]",
            )
        versions = {key: value for key, value in function.versions.items() if key != number}
        self._context.store.put(replace(function, versions=versions).without(number))
        self._context.retire(function.name, number)
        return {"StatusCode": 204}

    def _reference(self, parameters: Parameters) -> FunctionReference:
        return self._home.resolve(parameters["FunctionName"], parameters.get("Qualifier"))

    def _changeable(self, name: str, parameters: Parameters) -> Function:
        function = self._context.function(name)
        check_changeable(self._home, function)
        check_revision(parameters.get("RevisionId"), function.latest.revision_id)
        return function

    def _check_memory(self, settings: Settings) -> None:
        limit_mb = self._context.options.max_memory_mb
        if settings.memory_mb > limit_mb:
            raise _invalid(
                "'MemorySize' value failed to satisfy constraint: Member must have value less "
                f"than or equal to {limit_mb}"
            )

    async def _package(self, parameters: Parameters) -> Code:
        zip_bytes = parameters.get("ZipFile")
        if zip_bytes is None:
            for name in ("S3Bucket", "ImageUri"):
                if name in parameters:
                    raise _invalid(f"{name}: the sandbox takes code as ZipFile only")
            raise _invalid("Please provide a source for function code.")
        # In a thread: a package of many files takes longer than invocations may be held up.
        return await asyncio.to_thread(self._context.packages.add, zip_bytes)


def _image(parameters: Parameters) -> Code:
    """A container image by its name; modelled functions never run what is in it."""
    uri = parameters.get("ImageUri")
    if uri is None:
        raise _invalid("Please provide ImageUri when creating a function with packageType Image.")
    return Code(hashlib.sha256(uri.encode()).hexdigest(), 0, uri)


def _with_latest(function: Function, settings: Settings, code: Code) -> Function:
    """`function` with a change of `$LATEST` in progress."""
    latest = Version(LATEST, settings, code, new_id(), new_id(), now_text())
    return replace(function, latest=latest, updating=True)


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterValueException", message)
