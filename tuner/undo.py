"""Takes back what a run changed on a function, by what AWS shows rather than by memory.

The marks of the run in Descriptions say what is the run's; so the run itself, `tune restore` with
a journal and `tune restore` without one all undo by the same code. What only a memory can tell is
`Traces`; where that is in doubt, the function stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.aws.session import aws_call
from core.errors import AwsError
from tuner.copied import SettingsBack, settings_back
from tuner.journal import Beginning, Traces
from tuner.marker import parse_marker
from tuner.settle import BUSY, CHANGED, POLL_MOST_S, Pause, wait_until_settled
from tuner.target import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_TRIES = 10


@dataclass(frozen=True, slots=True)
class Restoration:
    """`$LATEST` as it is now, whether something was put back for that, and which settings."""

    target: Target
    changed: bool
    settings: SettingsBack = field(default_factory=SettingsBack)


def restore_latest(
    client: LambdaClient,
    function: str,
    beginning: Beginning,
    pause: Pause,
    traces: Traces | None = None,
) -> Restoration:
    """Puts memory, Description and copied settings of `$LATEST` back if it has this run's mark.

    Without the mark it is either back already or somebody else's by now, and stays untouched.
    Code that was deployed meanwhile stays, and so does what somebody else has set. With `traces`, a
    deploy of another Description alone leaves neither a test size nor settings that were copied.

    Raises:
        AwsError: when AWS refuses it, or accepts it and cannot carry it out.
    """
    traces = traces or Traces()
    for _ in range(_TRIES):
        target = wait_until_settled(client, function, beginning.region, pause)
        settings = settings_back(client, function, beginning, target, traces)
        wanted = _to_restore(target, beginning, traces)
        if wanted is None and not settings.parameters:
            return Restoration(target, changed=False, settings=settings)
        memory_mb, description = wanted or (target.memory_mb, target.description)
        parameters: Any = settings.parameters
        try:
            with aws_call(f"put {function} back to {beginning.memory_mb} MB"):
                client.update_function_configuration(
                    FunctionName=function,
                    MemorySize=memory_mb,
                    Description=description,
                    RevisionId=target.revision_id,
                    **parameters,
                )
        except AwsError as error:
            # Somebody else was faster: look again at what the function is now.
            if error.code not in (CHANGED, BUSY):
                raise
            pause(POLL_MOST_S)
            continue
        restored = wait_until_settled(
            client, function, beginning.region, pause, stale_revision=target.revision_id
        )
        _check_carried_out(restored, beginning, settings)
        return Restoration(restored, changed=True, settings=settings)
    raise AwsError(
        f"could not put {function} back to {beginning.memory_mb} MB: it is being changed all the "
        "time",
        hint="run `tune restore`",
    )


def _to_restore(target: Target, beginning: Beginning, traces: Traces) -> tuple[int, str] | None:
    """Memory in MB and Description that `$LATEST` is to get; None where nothing is the run's."""
    own = (beginning.memory_mb, beginning.description)
    marker = parse_marker(target.description)
    if marker is not None:
        if marker.run_id != beginning.run_id:
            return None
        return own if target.memory_mb == marker.size_mb else (target.memory_mb, own[1])
    # What AWS shows is back, but it could not carry that out: invocations still get the test size.
    if traces.changed and target.update_failure and (target.memory_mb, target.description) == own:
        return own
    if target.memory_mb == traces.test_mb != beginning.memory_mb:
        return beginning.memory_mb, target.description
    return None


def _check_carried_out(target: Target, beginning: Beginning, settings: SettingsBack) -> None:
    if target.update_failure is not None:
        raise AwsError(
            f"could not put {target.name} back to {beginning.memory_mb} MB: AWS accepted the "
            f"update and did not carry it out: {target.update_failure}"
        )
    left = settings.left(target)
    if left:
        raise AwsError(
            f"could not put back {', '.join(left)} of {target.name}: AWS accepted the update and "
            "did not carry it out"
        )
