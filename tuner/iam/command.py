"""`tune iam FUNCTION`: prints a policy; asks nobody and changes nothing."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass

from core.aws.s3 import S3Place, parse_s3_url
from core.aws.stacks import is_stack_name
from core.console import Console
from core.errors import ExitCode, InputError
from tuner.apply.destination import ShiftOptions, check_apply
from tuner.hook_kinds.asked import LambdaAsked, check_hook_options
from tuner.iam.place import ANY_ACCOUNT, ANY_REGION, Place, place_of
from tuner.iam.policy import Needs, policy_of
from tuner.payload import S3_SCHEME
from tuner.target import split_function
from tuner.usage import check_usage

# LogGroupName (CloudWatch Logs API reference).
_LOG_GROUP = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")


@dataclass(frozen=True, slots=True)
class IamOptions:
    """What the command line says, not yet checked."""

    function: str
    arch_function: str | None = None
    region: str | None = None
    account: str | None = None
    log_group: str | None = None
    payload: str | None = None
    payloads: str | None = None
    pre: str | None = None
    post: str | None = None
    cold_share: str | None = None
    requests_per_month: str | None = None
    apply: str | None = None
    alarms: tuple[str, ...] = ()
    report_logs: bool = False
    preflight: bool = False
    dry_run: bool = False
    stack: str | None = None


def iam(options: IamOptions, console: Console) -> ExitCode:
    """Prints the policy for `tune` with these options.

    Raises:
        InputError: naming the option, its value and what was expected.
    """
    needs = needs_of(options)
    policy = policy_of(needs)
    notes = _notes(needs.place)
    for note in notes:
        console.say(f"note: {note}")
    if console.json_output:
        policy = {
            "schema_version": 1,
            "kind": "tune-iam",
            "verdict": "pass",
            "exit_code": 0,
            "errors": [],
            "notes": notes,
            "policy": policy,
        }
    console.document(json.dumps(policy, indent=2))
    return ExitCode.PASS


def needs_of(options: IamOptions) -> Needs:
    """What the options ask for, checked as `tune` checks them.

    Raises:
        InputError: naming the option, its value and what was expected.
    """
    region = options.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    asked = {"FUNCTION": options.function, "--arch-function": options.arch_function}
    if options.log_group is not None and not _LOG_GROUP.fullmatch(options.log_group):
        raise InputError(
            "--log-group: expected 1 to 512 letters, digits and . _ - / # "
            f"(got {options.log_group!r})"
        )
    place, functions = place_of(asked, region, options.account)
    usage = check_usage(options.cold_share, options.requests_per_month)
    hooks = check_hook_options(options.pre, options.post, None)
    groups = [f"/aws/lambda/{name}" for name in functions]
    return Needs(
        place=place,
        functions=functions,
        log_groups=[options.log_group or groups[0], *groups[1:]],
        dry_run=options.dry_run,
        reads_starts=usage.cold_share == "auto",
        reads_requests=usage.requests == "auto",
        reads_reports=options.report_logs,
        payloads=_payloads(options),
        hooks=[hook for hook in hooks.all if isinstance(hook, LambdaAsked)],
        apply=check_apply(options.apply, ShiftOptions(alarms=options.alarms), sandbox=False),
        preflight=options.preflight,
        reads_alias=any(_is_alias(function) for function in asked.values()),
        stack=_stack(options.stack),
    )


def _stack(stack: str | None) -> str | None:
    if stack is not None and not is_stack_name(stack):
        raise InputError(f"--stack: expected the name or ARN of a stack (got {stack!r})")
    return stack


def _is_alias(function: str | None) -> bool:
    """Whether an alias is to be tuned, which has to be asked where it leads."""
    qualifier = None if function is None else split_function(function)[1]
    return qualifier is not None and not qualifier.isdecimal()


def _payloads(options: IamOptions) -> list[S3Place]:
    """Those that are in S3; other payloads are files, which no policy is about."""
    given = (("--payload", options.payload), ("--payloads", options.payloads))
    return [
        parse_s3_url(value, option)
        for option, value in given
        if value is not None and value.startswith(S3_SCHEME)
    ]


def _notes(place: Place) -> list[str]:
    missing = []
    if place.region == ANY_REGION:
        missing.append(f"the region in place of {ANY_REGION} (--region)")
    if place.account == ANY_ACCOUNT:
        missing.append(f"the account's number in place of {ANY_ACCOUNT} (--account)")
    return [f"put {' and '.join(missing)}"] if missing else []
