"""Where requests go: from the target of a profile to a base URL, and the API behind it.

What cannot be read about a plain URL is unknown and said in a note; only a target that has to be
looked up, and is not found, is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from core.aws.function_url import read_function_url
from core.aws.gateway import Api, ApiKind, GatewayReader, Stage
from core.aws.session import AwsSession
from core.errors import AwsError, InputError
from loadgen.api_url import DEFAULT_STAGE, ApiUrl, invoke_url, parse_api_url
from loadgen.auth.keys import auth_keys
from loadgen.profile.model import ApiTarget, Profile
from reports.load_document import TargetFacts


@dataclass(frozen=True, slots=True)
class ApiRef:
    """A stage of an API.

    Paths of steps go below `base_path` of the stage. `kind` and `stage` are None where they could
    not be read. `settings` is what AWS says of the stage.
    """

    kind: ApiKind | None
    id: str
    name: str | None
    stage: str | None
    region: str | None
    base_path: str = ""
    key_source: str = "HEADER"
    settings: Stage | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where requests go: `base_url` without a last slash, and the API behind it if there is one."""

    base_url: str
    facts: TargetFacts
    api: ApiRef | None = None
    notes: tuple[str, ...] = ()


def session_region(profile: Profile) -> str | None:
    """The region that the target lies in, as far as the profile says; for the AWS session."""
    target = profile.target
    if target.api is not None and target.api.region is not None:
        return target.api.region
    if target.url is not None:
        found = parse_api_url(target.url)
        if found is not None and found.region is not None:
            return found.region
    if target.function_url is not None and target.function_url.startswith("arn:"):
        return target.function_url.split(":")[3] or profile.aws.region
    return profile.aws.region


def resolve(
    profile: Profile, session: AwsSession | None, *, base_url: str | None = None
) -> Resolved:
    """Where the requests of `profile` go; `base_url` goes before `target.url`.

    Raises:
        InputError: an API or function that the target names does not exist, or more than one does.
        AwsError: AWS does not say where the target is.
    """
    resolved = _resolve(profile, session, base_url)
    account = session.account_id() if session is not None else None
    found = resolved.api
    facts = TargetFacts(
        url=resolved.base_url,
        api_id=found.id if found else None,
        api_name=found.name if found else None,
        api_kind=found.kind if found else None,
        stage=found.stage if found else None,
        region=(found.region if found else None) or (session.region if session else None),
        account=account,
        auth=_auth_kinds(profile),
    )
    return replace(resolved, facts=facts)


def resolve_again(facts: TargetFacts, session: AwsSession) -> ApiRef | None:
    """The stage that an earlier run went to, as it is now; None where there is no such API.

    Raises:
        AwsError: AWS does not say.
    """
    if facts.api_id is None:
        return None
    reader = GatewayReader(session)
    api = reader.api(facts.api_id)
    if api is None:
        return None
    stages = reader.stages(api.kind, api.id)
    parsed = parse_api_url(facts.url)
    if parsed is not None:
        return _stage_in_url(parsed, api, stages, session.region)[0]
    stage = next((one for one in stages if one.name == facts.stage), None)
    return _reference(api, stage, session.region)


def _resolve(profile: Profile, session: AwsSession | None, base_url: str | None) -> Resolved:
    target = profile.target
    url = base_url or target.url
    if url is not None:
        reader = session if profile.aws.discover else None
        return _of_url(url.rstrip("/"), reader)
    if session is None:
        raise InputError(
            "target: AWS settings are needed to look it up",
            hint="give target.url, or set AWS_PROFILE or AWS_ACCESS_KEY_ID",
        )
    if target.api is not None:
        return _of_api(target.api, session)
    return _resolved(read_function_url(session, target.function_url or ""))


def _resolved(base_url: str, api: ApiRef | None = None, notes: Sequence[str] = ()) -> Resolved:
    return Resolved(base_url, TargetFacts(url=base_url), api, tuple(notes))


def _auth_kinds(profile: Profile) -> list[str]:
    """The kinds of auth that requests use, without values."""
    return sorted({auth.type for auth in auth_keys(profile).values()})


# -- a plain URL ----------------------------------------------------------------------------------


def _of_url(url: str, session: AwsSession | None) -> Resolved:
    parsed = parse_api_url(url)
    if parsed is None:
        return _resolved(url)
    region = parsed.region or (session.region if session else None)
    unknown = ApiRef(None, parsed.api_id, None, None, region)
    if session is None:
        return _resolved(url, unknown)
    reader = GatewayReader(session)
    try:
        api = reader.api(parsed.api_id)
        if api is None:
            note = f"API {parsed.api_id} is not in this account and region: its limits are unknown"
            return _resolved(url, unknown, [note])
        stages = reader.stages(api.kind, api.id)
    except AwsError as error:
        return _resolved(url, unknown, [f"the limits of the API are unknown: {error}"])
    return _resolved(url, *_stage_in_url(parsed, api, stages, region))


def _stage_in_url(
    parsed: ApiUrl, api: Api, stages: list[Stage], region: str | None
) -> tuple[ApiRef, list[str]]:
    first, _, rest = parsed.path.lstrip("/").partition("/")
    by_name = {stage.name: stage for stage in stages}
    if first in by_name:
        return _reference(api, by_name[first], region, f"/{rest}" if rest else ""), []
    if DEFAULT_STAGE in by_name:
        return _reference(api, by_name[DEFAULT_STAGE], region, parsed.path), []
    note = f"the URL names no stage of API {api.name}: its limits are unknown"
    return _reference(api, None, region), [note]


def _reference(api: Api, stage: Stage | None, region: str | None, base_path: str = "") -> ApiRef:
    name = stage.name if stage else None
    return ApiRef(api.kind, api.id, api.name, name, region, base_path, api.key_source, stage)


# -- an API by id or name -------------------------------------------------------------------------


def _of_api(target: ApiTarget, session: AwsSession) -> Resolved:
    reader = GatewayReader(session)
    try:
        api = _find(reader, target, session.region)
        stage = _choose_stage(api, reader.stages(api.kind, api.id), target.stage)
    except AwsError as error:
        if target.id is None or target.stage is None:
            raise
        # An id and a stage make a URL, whatever the caller may read.
        base_url = invoke_url(target.id, target.stage, session.region, reader.custom_endpoint)
        known = ApiRef(target.kind, target.id, None, target.stage, session.region)
        return _resolved(base_url, known, [f"the limits of the API are unknown: {error}"])
    base_url = _own_address(api, stage, reader.custom_endpoint) or invoke_url(
        api.id, stage.name, session.region, reader.custom_endpoint
    )
    return _resolved(base_url, _reference(api, stage, session.region))


def _own_address(api: Api, stage: Stage, custom_endpoint: str | None) -> str | None:
    """The address that a custom endpoint gives an HTTP API, unless it is that of AWS."""
    if api.endpoint is None or custom_endpoint is None or parse_api_url(api.endpoint) is not None:
        return None
    tail = "" if stage.name == DEFAULT_STAGE else f"/{stage.name}"
    return api.endpoint.rstrip("/") + tail


def _find(reader: GatewayReader, target: ApiTarget, region: str) -> Api:
    if target.id is not None:
        found = reader.api(target.id, target.kind)
        if found is None:
            raise InputError(
                f"target.api.id: no {_kinds(target.kind)} has it in {region} (got {target.id!r})"
                + _suggestion(target.id, lambda: [api.id for api in reader.apis(target.kind)])
            )
        return found
    apis = reader.apis(target.kind)
    named = [api for api in apis if api.name == target.name]
    if not named:
        raise InputError(
            f"target.api.name: no {_kinds(target.kind)} has it in {region} (got {target.name!r})"
            + _suggestion(target.name or "", lambda: [api.name for api in apis])
        )
    if len(named) > 1:
        candidates = ", ".join(f"{api.id} ({api.kind})" for api in named)
        raise InputError(
            f"target.api.name: several APIs have it (got {target.name!r}): {candidates}",
            hint="give target.api.id or kind",
        )
    return named[0]


def _kinds(kind: ApiKind | None) -> str:
    return {"rest": "REST API", "http": "HTTP API", None: "REST or HTTP API"}[kind]


def _choose_stage(api: Api, stages: list[Stage], wanted: str | None) -> Stage:
    names = [stage.name for stage in stages]
    if wanted is not None:
        for stage in stages:
            if stage.name == wanted:
                return stage
        raise InputError(
            f"target.api.stage: API {api.name} has no such stage (got {wanted!r})"
            + _suggestion(wanted, lambda: names)
        )
    for stage in stages:
        if stage.name == DEFAULT_STAGE or len(stages) == 1:
            return stage
    if not stages:
        raise InputError(f"target.api: API {api.name} has no stage: it is not deployed")
    raise InputError(
        f"target.api.stage: API {api.name} has several", hint=f"give one of {', '.join(names)}"
    )


def _suggestion(wanted: str, names: Callable[[], Iterable[str]]) -> str:
    """What may have been meant, or what there is if that is little."""
    try:
        known = sorted(set(names()))
    except AwsError:
        return ""
    close = get_close_matches(wanted, known, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    if not known:
        return "; there is none at all"
    return f"; there are {', '.join(known)}" if len(known) <= 10 else ""
