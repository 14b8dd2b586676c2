"""Function names, partial and full ARNs, with and without a qualifier."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.api_errors import ApiError, validation_error

LATEST = "$LATEST"
MAX_NAME_LENGTH = 64

_REFERENCE = re.compile(
    r"(?:arn:(?P<partition>aws[a-zA-Z-]*):lambda:)?"
    r"(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?"
    r"(?:(?P<account>\d{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]+)"
    r"(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)


@dataclass(frozen=True, slots=True)
class FunctionReference:
    """A function, and the version or alias of it that a call names."""

    name: str
    qualifier: str | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """The account and region that all functions of a sandbox live in."""

    account_id: str
    region: str

    def function_arn(self, name: str, qualifier: str | None = None) -> str:
        """The ARN of a function, or of the version or alias `qualifier` of it."""
        arn = f"arn:aws:lambda:{self.region}:{self.account_id}:function:{name}"
        return arn if qualifier is None else f"{arn}:{qualifier}"

    def resolve(self, text: str, qualifier: str | None = None) -> FunctionReference:
        """The function that `text` names: a name, or a partial or full ARN.

        Raises:
            ApiError: `text` is no such name, is of another account or region, or has a
                qualifier other than the one given beside it.
        """
        found = _REFERENCE.fullmatch(text)
        if found is None:
            raise _broken(text, f"satisfy regular expression pattern: {_REFERENCE.pattern}")
        self._check_home(found["region"], found["account"], text)
        name = found["name"]
        if len(name) > MAX_NAME_LENGTH:
            raise _broken(name, f"have length less than or equal to {MAX_NAME_LENGTH}")
        derived = found["qualifier"]
        if derived is not None and qualifier is not None and derived != qualifier:
            raise ApiError(
                "InvalidParameterValueException",
                "The derived qualifier from the function name does not match the specified "
                "qualifier.",
            )
        return FunctionReference(name, qualifier if derived is None else derived)

    def resolve_function(self, text: str) -> str:
        """The name of the function that `text` names, where no version or alias may be named."""
        reference = self.resolve(text)
        if reference.qualifier not in (None, LATEST):
            raise ApiError(
                "InvalidParameterValueException",
                "This operation is permitted on Lambda functions only. Aliases and versions do "
                "not support this operation. Please specify either a function name or an "
                "unqualified function ARN.",
            )
        return reference.name

    def _check_home(self, region: str | None, account: str | None, text: str) -> None:
        if region is not None and region != self.region:
            raise ApiError(
                "ResourceNotFoundException",
                f"Functions from '{region}' are not reachable in this region ('{self.region}')",
            )
        if account is not None and account != self.account_id:
            raise ApiError(
                "AccessDeniedException",
                f"User: arn:aws:iam::{self.account_id}:root is not authorized to access "
                f"{text}: the sandbox has the account {self.account_id} only",
                status=403,
            )


def _broken(name: str, demand: str) -> ApiError:
    violation = f"Value '{name}' at 'functionName' failed to satisfy constraint: Member must "
    return validation_error([violation + demand])


def function_not_found(home: Home, name: str, qualifier: str | None = None) -> ApiError:
    """AWS's answer where a function, or the version or alias named, does not exist."""
    return ApiError(
        "ResourceNotFoundException",
        f"Function not found: {home.function_arn(name, qualifier)}",
        status=404,
    )
