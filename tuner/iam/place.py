"""Which function a policy is for, as far as its name or ARN and the options say; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.errors import InputError
from tuner.target import split_function

ANY_ACCOUNT, ANY_REGION = "ACCOUNT_ID", "REGION"
_ACCOUNT = re.compile(r"\d{12}")
# What region names begin with where the partition is another one than `aws` (botocore 1.44).
_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("us-iso-", "aws-iso"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where functions are; the placeholders stand for what nobody said."""

    region: str
    account: str

    @property
    def partition(self) -> str:
        """The partition of ARNs in the region."""
        return next((name for begin, name in _PARTITIONS if self.region.startswith(begin)), "aws")

    def function(self, name: str) -> str:
        """The ARN of a function, without a version."""
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{name}"

    def log_group(self, name: str) -> str:
        """The ARN of a log group with its streams, as policies take it."""
        return f"arn:{self.partition}:logs:{self.region}:{self.account}:log-group:{name}:*"

    def stack(self, stack: str) -> str:
        """The ARN of a stack, whichever id it has; one that is an ARN stays as it is."""
        if ":" in stack:
            return stack
        return f"arn:{self.partition}:cloudformation:{self.region}:{self.account}:stack/{stack}/*"


def place_of(
    functions: dict[str, str | None], region: str | None, account: str | None
) -> tuple[Place, list[str]]:
    """Where the functions are, and their names; `functions` are names or ARNs by their option.

    Raises:
        InputError: naming the option that is wrong, or contradicts another one.
    """
    if account is not None and not _ACCOUNT.fullmatch(account):
        raise InputError(f"--account: expected the twelve digits of an account (got {account!r})")
    names = []
    for option, function in functions.items():
        if function is None:
            continue
        *parts, name = split_function(function, option)[0].split(":")
        names.append(name)
        # [arn, aws, lambda, REGION, ACCOUNT, function], or less from the left.
        known = [None] * (6 - len(parts)) + list(parts)
        region = _agreed(option, "--region", region, known[3])
        account = _agreed(option, "--account", account, known[4])
    return Place(region or ANY_REGION, account or ANY_ACCOUNT), names


def _agreed(option: str, other: str, given: str | None, found: str | None) -> str | None:
    if given is not None and found is not None and given != found:
        raise InputError(f"{option}: expected a function in {given} ({other}; got {found})")
    return given or found
