"""Hooks that are Lambda functions: invoked once for each call, and again only if not run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.aws.invocation import Invocation, invoke_once
from core.aws.session import aws_call
from core.errors import AwsError, FunctionNotFound, InputError, NotRun
from tuner.hook_kinds.asked import LambdaAsked
from tuner.hook_kinds.process import ChildError
from tuner.hook_kinds.surroundings import Surroundings
from tuner.hook_kinds.told import as_json, event_of, hook_error, said_by
from tuner.hooks import HookStopped

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Between attempts at a function that was refused before it ran.
_PAUSES_S = (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0)


@dataclass(frozen=True, slots=True)
class LambdaHook:
    """A Lambda function; `client` makes one attempt and waits for as long as a hook may take."""

    asked: LambdaAsked
    around: Surroundings
    client: LambdaClient

    def run(self, payload: bytes, output: bytes | None, memory_mb: int) -> bytes | None:
        """Invokes it with the event; what it answers is what it says. See `tuner.hooks.Hook`."""
        asked = self.asked
        try:
            answer = self._answer(self._event(payload, output))
            if answer.error_type is not None:
                said = f"{answer.error_type}: {answer.error_message}"
                raise ChildError("it answered with an error", whole=said)
        except (AwsError, ChildError) as error:
            raise hook_error(asked, memory_mb, error, payload=payload, output=output) from error
        return said_by(asked, answer.output)

    def _answer(self, event: bytes) -> Invocation:
        """The answer; while the function is refused before it runs, after a pause.

        Raises:
            AwsError: when it is not run, or no answer comes.
            HookStopped: when somebody asked to stop before it ran.
        """
        began_s = time.monotonic()
        for pause_s in _PAUSES_S:
            try:
                return self._invoked(event)
            except NotRun as refusal:
                wait_s = max(pause_s, refusal.retry_after_s or 0.0)
                if time.monotonic() - began_s + wait_s > self.around.timeout_s:
                    raise
                self._wait(wait_s)
        return self._invoked(event)

    def _event(self, payload: bytes, output: bytes | None) -> bytes:
        if self.asked.output_only:
            return as_json(output)
        return event_of(self.asked.step, payload, output)

    def _invoked(self, event: bytes) -> Invocation:
        asked = self.asked
        return invoke_once(self.client, asked.function, asked.qualifier or "$LATEST", event)

    def _wait(self, seconds: float) -> None:
        if self.asked.step == "post":
            time.sleep(seconds)
        elif self.around.stop.wait(seconds):
            raise HookStopped(f"{self.asked.shown}: stopped")


def check_lambda(asked: LambdaAsked, client: LambdaClient, region: str) -> None:
    """Asks whether it may be invoked, without running it.

    Raises:
        InputError: when it does not exist in the region.
        AwsError: when it may not be invoked.
    """
    if asked.region not in (None, region):
        raise InputError(f"{asked.shown}: expected a function in {region}, where the run is")
    version: Any = {} if asked.qualifier is None else {"Qualifier": asked.qualifier}
    try:
        with aws_call(f"invoke the function of {asked.shown}"):
            client.invoke(
                FunctionName=asked.function, InvocationType="DryRun", Payload=b"{}", **version
            )
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            raise FunctionNotFound(f"{asked.shown}: not found in {region}") from error
        raise
