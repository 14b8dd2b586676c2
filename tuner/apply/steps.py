"""All changes of an application in their order; a stop is seen between any two of them."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass

from core.aws.environment import same_access
from core.aws.session import AwsSession
from core.aws.version_metrics import AliasMetrics
from core.console import Console
from core.errors import AwsError, Interrupted, Refused, ToolError
from core.interrupt import StopRequest
from reports.figures import megabytes, percent
from tuner.apply.application import Application
from tuner.apply.checks import Aim
from tuner.apply.destination import Shift
from tuner.apply.done import Done
from tuner.apply.shift import Clocks, Shifting
from tuner.apply.take_back import put_latest_back
from tuner.apply.watch import Counted
from tuner.hook_kinds.process import ProcessGroups
from tuner.interference import check_free
from tuner.settle import wait_until_settled


@dataclass(frozen=True, slots=True)
class Steps:
    """The changes as a user reads of them; `done` takes them down."""

    application: Application
    session: AwsSession
    clocks: Clocks
    stop: StopRequest
    done: Done
    console: Console

    def all(self) -> None:
        """Makes the changes that the destination asks for.

        Raises:
            ToolError: what ended it; what was changed is to be taken back then.
        """
        self._set_latest()
        aim = self.application.aim
        if aim is None:
            return
        self._publish(aim)
        shift = self.done.destination.shift
        if shift is None:
            self._lead_alias(aim)
            return
        # Calls without a version do not meet the new size before it is shown to do no worse.
        self._set_latest_back()
        self._lead_share(aim, shift)
        self.done.shifting = shifting = self._shifting(aim, shift)
        shifting.watch()
        self._lead_alias(aim)
        self._set_latest_after_shift()

    def _set_latest(self) -> None:
        application = self.application
        if application.latest.memory_mb == application.proposal.to_mb:
            return
        application.set_latest()
        self._note(f"$LATEST has {megabytes(application.proposal.to_mb)}")

    def _set_latest_back(self) -> None:
        application = self.application
        if not application.recorder.record.latest_is_set:
            return
        application.set_latest_back()
        self._note(f"$LATEST has {megabytes(application.latest.memory_mb)} again for the shift")

    def _publish(self, aim: Aim) -> None:
        self.application.publish(aim)
        self.done.version = self.application.version
        was = aim.alias.route.version
        self._note(f"version {self.done.version} is version {was} with the new size")

    def _lead_share(self, aim: Aim, shift: Shift) -> None:
        self.application.lead_alias(shift.share)
        self._note(f"alias {aim.alias.name} leads {percent(shift.share)} of its calls to it")

    def _lead_alias(self, aim: Aim) -> None:
        self.application.lead_alias()
        self._note(f"alias {aim.alias.name} leads to it")

    def _set_latest_after_shift(self) -> None:
        """Where that does not work, the shift stays: it was asked for, and it is good."""
        application = self.application
        region = application.proposal.function.region
        try:
            check_free(
                wait_until_settled(application.client, application.function, region, time.sleep)
            )
            self._set_latest()
        except (AwsError, Refused) as error:
            recorder = application.recorder
            if isinstance(error, AwsError):
                with suppress(ToolError):
                    put_latest_back(application.client, recorder.record, time.sleep, recorder.note)
            note = f"$LATEST does not get the new size, nor does what is published of it: {error}"
            self.done.notes.append(note)
            self.console.warn(note)

    def _shifting(self, aim: Aim, shift: Shift) -> Shifting:
        application, session = self.application, self.session
        cloudwatch, groups = session.cloudwatch(), ProcessGroups()
        self.stop.before_leaving(groups.kill)
        return Shifting(
            application=application,
            aim=aim,
            shift=shift,
            cloudwatch=cloudwatch,
            counted=Counted(
                AliasMetrics(cloudwatch, application.latest.name, aim.alias.name),
                old=aim.alias.route.version,
                new=application.version or "",
                start_s=self.clocks.now_s(),
                before_s=shift.seconds,
            ),
            clocks=self.clocks,
            stop=self.stop,
            say=self.console.say,
            environment=same_access(
                os.environ, region=session.region, profile=session.profile, local=None
            ),
            groups=groups,
        )

    def _note(self, change: str) -> None:
        self.done.changes.append(change)
        self.console.say(change)
        if self.stop.requested:
            raise Interrupted("stopped while it was applied", code=self.stop.exit_code)
