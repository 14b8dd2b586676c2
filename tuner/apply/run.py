"""Applies what a run recommends, from its document to what was done: checks, asks, changes.

Whatever goes wrong after the first change, everything is taken back; where even that does not
work, the journal stays and the answer says which command to run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.aws.session import CHANGING_ATTEMPTS, UNDOING_ATTEMPTS, AwsSession
from core.aws.version_metrics import AliasMetrics
from core.confirm import confirm
from core.console import Console
from core.errors import CredentialsError, ExitCode, Interrupted, Refused, ToolError
from core.interrupt import StopRequest
from core.text import one_line
from reports.apply_document import ApplyDocument
from reports.document import TuneDocument
from reports.figures import megabytes
from tuner.apply.application import Application, beginning_of, plan_of
from tuner.apply.checks import Aim, check_as_measured, read_aim
from tuner.apply.destination import Destination
from tuner.apply.done import Done
from tuner.apply.proposal import Proposal, propose
from tuner.apply.question import statement, template_note
from tuner.apply.record import begin_record, check_no_application, records_folder
from tuner.apply.shift import Clocks
from tuner.apply.steps import Steps
from tuner.apply.take_back import take_back
from tuner.apply.watch import check_alarms
from tuner.journal import state_folder
from tuner.open_journals import check_no_run_works
from tuner.settle import wait_until_settled
from tuner.target import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class Applying:
    """One application: to where, by whom, and who agrees to it.

    `undo` is the command that takes it back. `clocks` make the time of a shift.
    """

    session: AwsSession
    destination: Destination
    undo: str
    yes: bool
    console: Console
    clocks: Callable[[StopRequest], Clocks]

    def document(self, document: TuneDocument) -> ApplyDocument:
        """Applies what a run recommends, or says why there is nothing to apply.

        Raises:
            Refused, Interrupted: when a check fails or nobody agrees; nothing was changed.
            InputError, AwsError: before anything was changed.
        """
        done = self._run(document)
        if isinstance(done, Done):
            return done.document(self.undo)
        return ApplyDocument(
            verdict="pass",
            exit_code=ExitCode.PASS,
            notes=[f"nothing is applied: {done}"],
            run_id=document.provenance.run_id,
            function_arn=document.function.arn,
            to=str(self.destination),
        )

    def _run(self, document: TuneDocument) -> Done | str:
        """What was done; in words why there is nothing to apply."""
        proposal = propose(document)
        if isinstance(proposal, str):
            return proposal
        client = self.session.control_lambda(attempts=CHANGING_ATTEMPTS)
        check_endpoint(
            proposal.function.arn, proposal.endpoint, self.session.custom_endpoint(client)
        )
        latest = wait_until_settled(client, proposal.function.arn, self.session.region, time.sleep)
        aim = read_aim(client, latest, self.destination, self.session.region)
        check_as_measured(latest, aim, proposal)
        check_nobody_works(latest, proposal.endpoint)
        if (latest if aim is None else aim.version).memory_mb == proposal.to_mb:
            return f"{megabytes(proposal.to_mb)} is applied already"
        check_watched(self.session, latest.name, self.destination)
        self._ask(statement(proposal, self.destination, _version_of(aim), self.undo))
        return self._apply(client, proposal, latest, aim)

    def _ask(self, text: str) -> None:
        if self.yes:
            self.console.say(text)
            return
        try:
            confirm(text, "apply it?", self.console)
        except KeyboardInterrupt as error:
            raise Interrupted("not confirmed: nothing was changed") from error

    def _apply(
        self, client: LambdaClient, proposal: Proposal, latest: Target, aim: Aim | None
    ) -> Done:
        done = Done(proposal, self.destination)
        with StopRequest() as stop:
            stop.announce(
                on_first=lambda: self.console.warn(
                    "stopping: everything is put back; Ctrl-C again leaves at once"
                ),
                abandon=lambda: self.console.warn(
                    f"left at once: `{self.undo}` puts back what is left"
                ),
            )
            recorder = begin_record(
                records_folder(),
                beginning_of(client, latest, aim, proposal.endpoint, datetime.now(UTC)),
                plan_of(proposal, aim, self.destination),
            )
            application = Application(
                client, proposal, latest, aim, recorder, time.sleep, lambda: stop.requested
            )
            try:
                Steps(application, self.session, self.clocks(stop), stop, done, self.console).all()
            except ToolError as error:
                done.error = error
                self._take_back(application, done)
            except Exception:
                self._take_back(application, done)
                raise
            else:
                application.recorder.note("done")
                application.recorder.journal.leave()
                done.notes.append(template_note(proposal))
        return done

    def _take_back(self, application: Application, done: Done) -> None:
        """Puts everything back; what is left and what to do, where that does not work."""
        recorder = application.recorder
        session = self.session
        if isinstance(done.error, CredentialsError):
            # They may have been renewed since, in the files or by the tool that gives them.
            session = AwsSession(region=session.region, profile=session.profile)
        patient = session.control_lambda(attempts=UNDOING_ATTEMPTS, on_delay=self.console.warn)
        try:
            done.taken_back.extend(take_back(patient, recorder.record, time.sleep, recorder.note))
        except ToolError as error:
            done.left_behind = one_line(
                f"not all that was changed on {application.latest.name} could be put back: "
                f"{error}; run `{self.undo}`"
            )
            recorder.journal.leave()
        else:
            recorder.journal.close()


def real_clocks(stop: StopRequest) -> Clocks:
    """Time as it passes."""
    return Clocks(stop.wait, time.monotonic, time.time)


def check_endpoint(function_arn: str, was: str | None, now: str | None) -> None:
    """Makes sure that the settings lead to the endpoint where the run was; None is AWS.

    Raises:
        Refused: when they lead elsewhere: a function of that name may be there as well.
    """
    if was != now:
        raise Refused(
            f"{function_arn} was tuned at {was or 'AWS'}, but the settings lead to {now or 'AWS'}",
            hint="check AWS_ENDPOINT_URL and the profile",
        )


def check_nobody_works(latest: Target, endpoint_url: str | None) -> None:
    """Makes sure that no run and no other application of this user is at the function.

    Raises:
        Refused: naming it.
    """
    check_no_run_works(state_folder(), latest.arn, endpoint_url)
    check_no_application(records_folder(), latest.arn, endpoint_url)


def check_watched(session: AwsSession, function: str, destination: Destination) -> None:
    """Makes sure that what a shift watches can be read, and that its alarms are quiet.

    Raises:
        InputError, Refused: naming alarms that do not exist, or that ring.
        AwsError: when CloudWatch does not answer, for example without permission.
    """
    alias, shift = destination.alias, destination.shift
    if alias is None or shift is None:
        return
    client = session.cloudwatch()
    if shift.alarms:
        check_alarms(client, shift.alarms)
    now_s = time.time()
    AliasMetrics(client, function, alias).read(now_s - shift.seconds, now_s)


def _version_of(aim: Aim | None) -> str | None:
    return None if aim is None else aim.alias.route.version
