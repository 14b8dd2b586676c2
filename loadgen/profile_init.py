"""`loadgen init`: writes a first profile for an API of the account, or of a sandbox's stack."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from core.aws.gateway import Api, GatewayReader
from core.aws.gateway_plans import list_api_keys, usage_plan_of
from core.aws.session import AwsSession
from core.console import Console
from core.errors import AwsError, ExitCode, InputError
from core.local_aws import local_aws
from loadgen.first_profile import FirstStep, Source, active, first_profile, first_steps, quoted
from loadgen.limits_reading import read_limits
from loadgen.options import InitOptions
from loadgen.profile.model import Profile
from loadgen.target import Resolved, resolve
from reports.atomic_file import write_atomically


def init_profile(options: InitOptions, console: Console) -> ExitCode:
    """Writes the profile to a file or to stdout.

    Raises:
        InputError: the file is there already, or it is not clear which API is meant.
        AwsError: AWS does not say what the API has.
    """
    _check(options)
    with _aws(options) as session:
        reader = GatewayReader(session)
        api, others = _choose(reader, options)
        text = _text(session, reader, api, options, console)
    _deliver(text, options, console)
    if others and options.stack is not None:
        names = ", ".join(sorted(other.name for other in others))
        console.say(f"the stack has other APIs too: {names} (--api NAME)")
    return ExitCode.PASS


def _check(options: InitOptions) -> None:
    if options.api is None and options.stack is None:
        raise InputError(
            "--api or --stack: one of them is needed", hint="`loadgen init --stack orders` to try"
        )
    if options.stack is not None and options.aws_profile is not None:
        raise InputError("--profile: has no meaning with --stack, which needs no account")
    output = options.output
    if output is not None and output.is_file() and not options.force:
        raise InputError(f"--output: {output} is there already", hint="--force writes over it")


@contextmanager
def _aws(options: InitOptions) -> Iterator[AwsSession]:
    if options.stack is None:
        yield AwsSession(region=options.region, profile=options.aws_profile)
        return
    arguments = ["--no-functions", "--stack", options.stack]
    if options.region is not None:
        arguments += ["--region", options.region]
    with local_aws(arguments) as local:
        yield AwsSession(local=local)


def _choose(reader: GatewayReader, options: InitOptions) -> tuple[Api, list[Api]]:
    """The API that is meant, and the others."""
    apis = reader.apis()
    if options.api is None:
        # Of a stack: REST APIs have more kinds of limits to look at.
        ranked = sorted(apis, key=lambda api: (api.kind != "rest", api.name))
        if not ranked:
            raise InputError(f"--stack: {options.stack} has no API")
        return ranked[0], ranked[1:]
    found = [api for api in apis if options.api in (api.id, api.name)]
    if len(found) == 1:
        return found[0], []
    if found:
        candidates = ", ".join(f"{api.id} ({api.kind})" for api in found)
        raise InputError(f"--api: several APIs are called {options.api!r}: {candidates}")
    names = [api.name for api in apis]
    close = get_close_matches(options.api, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(names)[:10])}"
    raise InputError(
        f"--api: no API has this id or name (got {options.api!r})",
        hint=hint if names else "there is no API in this account and region",
    )


def _text(
    session: AwsSession, reader: GatewayReader, api: Api, options: InitOptions, console: Console
) -> str:
    steps = first_steps(reader.routes(api.kind, api.id))
    if not steps:
        raise InputError(f"--api: API {api.name} has no route to send requests to")
    target: dict[str, str] = {"id": api.id, "kind": api.kind}
    if options.stage is not None:
        target["stage"] = options.stage
    resolved = resolve(_sketch(target, steps, None), session)
    stage = resolved.facts.stage or ""
    key = _roomiest_key(reader, api, stage) if options.stack is not None else None
    limits = read_limits(resolved, _sketch(target, active(steps), key), session)
    for note in (*resolved.notes, *limits.notes):
        console.warn(note)
    return first_profile(_source(api, resolved, session, options, key), steps, limits)


def _source(
    api: Api, resolved: Resolved, session: AwsSession, options: InitOptions, key: str | None
) -> Source:
    stage = quoted(resolved.facts.stage or "")
    file = "PROFILE" if options.output is None else str(options.output)
    if options.stack is None:
        target = f"{{id: {api.id}, stage: {stage}, region: {session.region}}}"
        return Source(api.name, api.kind, target, f"loadgen run {file}")
    # Ids of a stack are new in every sandbox; its names are not.
    target = f"{{name: {quoted(api.name)}, stage: {stage}}}"
    return Source(api.name, api.kind, target, f"loadgen run {file} --sandbox", _stack(options), key)


def _stack(options: InitOptions) -> str:
    """The stack as a profile names it: a file is looked for beside the profile."""
    stack = Path(options.stack or "")
    if not stack.is_file():
        return str(stack)
    beside = options.output.resolve().parent if options.output is not None else Path.cwd()
    return os.path.relpath(stack.resolve(), beside)


def _sketch(target: dict[str, str], steps: Sequence[FirstStep], key: str | None) -> Profile:
    """A profile with these steps, to ask for what is on their paths."""
    flow: list[dict[str, Any]] = [{step.method.lower(): step.path} for step in steps]
    if key is not None:
        for step in flow:
            step["headers"] = {"x-api-key": key}
    return Profile.model_validate(
        {
            "version": 1,
            "name": "first",
            "target": {"api": target},
            "load": {"phases": [{"name": "hold", "rate": 1, "duration": "1s"}]},
            "scenarios": [{"name": "all", "flow": flow}],
        }
    )


def _roomiest_key(reader: GatewayReader, api: Api, stage: str) -> str | None:
    """The key of the stack whose usage plan lets most through."""
    best, highest = None, -1.0
    try:
        for value, key in list_api_keys(reader.rest).items():
            plan = usage_plan_of(reader.rest, key.id, api.id, stage)
            if plan is None:
                continue
            throttle = plan.throttle
            rate = float("inf") if throttle is None else throttle.rate_rps or 0.0
            if rate > highest:
                best, highest = value, rate
    except AwsError:
        return best
    return best


def _deliver(text: str, options: InitOptions, console: Console) -> None:
    if options.output is not None:
        write_atomically(options.output, text)
        console.say(f"written: {options.output}")
    if console.json_output:
        output = None if options.output is None else str(options.output)
        console.document(
            json.dumps(
                {
                    "schema_version": 1,
                    "verdict": "pass",
                    "exit_code": 0,
                    "errors": [],
                    "output": output,
                    "profile": text,
                }
            )
        )
    elif options.output is None:
        console.document(text)
