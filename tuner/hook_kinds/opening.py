"""The hooks that a command line asks for: checked before anything is spent, and ready to run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.aws.session import AwsSession
from core.interrupt import StopRequest
from tuner.hook_kinds.asked import Asked, HooksAsked, LambdaAsked, PythonAsked
from tuner.hook_kinds.local import CommandHook, PythonHook, PythonProcess, check_python
from tuner.hook_kinds.on_lambda import LambdaHook, check_lambda
from tuner.hook_kinds.surroundings import Surroundings
from tuner.hooks import NO_HOOKS, Hook, Hooks

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def check_hooks(asked: HooksAsked, session: AwsSession, control: LambdaClient) -> None:
    """Looks for the Lambda of a hook without running it, and imports the module of another.

    Raises:
        InputError: when it is not there.
        AwsError: when AWS does not say, or it may not be invoked.
    """
    process = PythonProcess(
        Surroundings("", asked.timeout_s, session.environment_for_programs(os.environ))
    )
    try:
        for hook in asked.all:
            if isinstance(hook, LambdaAsked):
                check_lambda(hook, control, session.region)
            elif isinstance(hook, PythonAsked):
                check_python(hook, process)
    finally:
        process.close()


@contextmanager
def open_hooks(
    asked: HooksAsked, function: str, session: AwsSession, stop: StopRequest, *, at_once: int
) -> Iterator[Hooks]:
    """The hooks around calls of `function`, of which `at_once` may run at the same time.

    When it is left, nothing of theirs runs any more.
    """
    if not asked.all:
        yield NO_HOOKS
        return
    around = Surroundings(
        function, asked.timeout_s, session.environment_for_programs(os.environ), stop
    )
    stop.before_leaving(around.groups.kill)
    process = PythonProcess(around)

    def opened(hook: Asked | None) -> Hook | None:
        if hook is None:
            return None
        if isinstance(hook, LambdaAsked):
            client = session.hook_lambda(timeout_s=asked.timeout_s, concurrency=at_once)
            return LambdaHook(hook, around, client)
        if isinstance(hook, PythonAsked):
            return PythonHook(hook, around, process)
        return CommandHook(hook, around)

    try:
        yield Hooks(opened(asked.pre), opened(asked.post))
    finally:
        process.close()
