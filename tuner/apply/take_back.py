"""Takes an application back, by what AWS shows: what somebody else changed since stays theirs.

Traffic first: the alias, then `$LATEST`, then the version that nothing leads to any more.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from core.errors import InputError, Refused, ToolError
from reports.figures import megabytes
from tuner.apply.alias import Route, aliases_to, lead, read_alias
from tuner.apply.changing import set_memory
from tuner.apply.mark import application_of
from tuner.apply.record import Record
from tuner.interference import check_free
from tuner.settle import Pause, wait_until_settled
from tuner.target import Target, read_target
from tuner.versions import delete_number, list_versions

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Somebody else may change it while it is put back: then it is looked at again.
_TRIES = 5
Note = Callable[[str], None]


def take_back(client: LambdaClient, record: Record, pause: Pause, note: Note) -> tuple[str, ...]:
    """Puts back what the application changed and what still is as it left it; says what it did.

    `note` takes the steps `led back` and `put back` into the journal, where there is one. A part
    that cannot be taken back does not keep the others, but a version stays while its alias does.

    Raises:
        ToolError: the first refusal, after all was tried.
    """
    done: list[str] = []
    failures: list[ToolError] = []
    for part in (_lead_back, put_latest_back, _delete):
        if part is _delete and failures:
            break
        try:
            done.extend(part(client, record, pause, note))
        except ToolError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return tuple(done)


def route_back(now: Route, record: Record) -> Route | None:
    """Where the alias is to lead again; None where it does not lead as the application left it."""
    new, old = record.version, record.plan.alias_version
    if not record.alias_is_led or new is None or old is None:
        return None
    others = {version: weight for version, weight in now.weights.items() if version != new}
    if now.version == new:
        # Others beside it are the shift of somebody else.
        return None if others else Route(old, {})
    return Route(now.version, others) if new in now.weights else None


def size_back(target: Target, record: Record) -> int | None:
    """The size in MB that `$LATEST` is to have again; None where it is not the application's."""
    if not record.latest_is_set:
        return None
    if target.memory_mb == record.plan.to_mb:
        return record.from_mb
    # AWS shows what it could not carry out.
    if target.memory_mb == record.from_mb and target.update_failure is not None:
        return record.from_mb
    return None


def preview(client: LambdaClient, record: Record) -> tuple[str, ...]:
    """What would be put back now, in words.

    Raises:
        ToolError: when AWS does not say how it is.
    """
    begin, plan = record.beginning, record.plan
    found: list[str] = []
    if plan.alias is not None and record.alias_is_led:
        with suppress(InputError):
            route = route_back(read_alias(client, begin.function_arn, plan.alias).route, record)
            if route is not None:
                found.append(f"alias {plan.alias} leads to {route} again")
    size = size_back(read_target(client, begin.function_arn, begin.region), record)
    if size is not None:
        found.append(f"$LATEST goes from {plan.to_mb} MB to {size} MB again")
    return tuple(found)


def _lead_back(client: LambdaClient, record: Record, pause: Pause, note: Note) -> tuple[str, ...]:
    function, name = record.beginning.function_arn, record.plan.alias
    if name is None or not record.alias_is_led:
        return ()
    for _ in range(_TRIES):
        try:
            alias = read_alias(client, function, name)
        except InputError:
            return (f"alias {name} was deleted by somebody else",)
        route = route_back(alias.route, record)
        if route is None:
            break
        try:
            lead(client, function, alias, route, pause)
        except Refused:
            continue
        note("led back")
        return (f"alias {name} leads to {route} again",)
    else:
        raise Refused(f"alias {name} of {function} is being changed all the time")
    if alias.route == Route(record.plan.alias_version or "", {}):
        return ()
    return (f"alias {name} was led to {alias.route} by somebody else: it stays so",)


def put_latest_back(
    client: LambdaClient, record: Record, pause: Pause, note: Note
) -> tuple[str, ...]:
    """Gives `$LATEST` its size of before, where it has the one that the application set.

    Raises:
        ToolError: when AWS does not go along, or a run holds the function.
    """
    begin = record.beginning
    if not record.latest_is_set:
        return ()
    for _ in range(_TRIES):
        target = wait_until_settled(client, begin.function_arn, begin.region, pause)
        check_free(target)
        memory_mb = size_back(target, record)
        if memory_mb is None:
            break
        try:
            set_memory(client, target, memory_mb, pause)
        except Refused:
            continue
        note("put back")
        return (f"$LATEST has {megabytes(memory_mb)} again",)
    else:
        raise Refused(f"{begin.function_arn} is being changed all the time")
    if target.memory_mb == begin.memory_mb:
        return ()
    return (f"$LATEST was set to {megabytes(target.memory_mb)} by somebody else: it stays so",)


def _delete(client: LambdaClient, record: Record, pause: Pause, note: Note) -> tuple[str, ...]:
    """Deletes what the application published, unless an alias leads to it."""
    begin = record.beginning
    if record.plan.alias is None:
        return ()
    done: list[str] = []
    for version, shown in list_versions(client, begin.function_arn).items():
        own = application_of(shown.description) == begin.run_id
        if not own or version in begin.existing_versions:
            continue
        if record.done and version != record.version:
            # Published since, with the Description of the one before it.
            continue
        if record.done and not _leads_as_before(client, record):
            # It was what callers met for a while: somebody may want to go back to it.
            done.append(f"version {version} stays: alias {record.plan.alias} has moved on since")
            continue
        users = aliases_to(client, begin.function_arn, version)
        if users:
            done.append(f"version {version} stays: alias {', '.join(users)} leads to it")
            continue
        delete_number(client, begin.function_arn, version, pause)
        done.append(f"version {version} is deleted")
    return tuple(done)


def _leads_as_before(client: LambdaClient, record: Record) -> bool:
    plan = record.plan
    try:
        alias = read_alias(client, record.beginning.function_arn, plan.alias or "")
    except InputError:
        return False
    return alias.route == Route(plan.alias_version or "", {})
