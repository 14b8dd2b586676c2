"""`tune iam`."""

from __future__ import annotations

from typing import Annotated

import typer

from core.command_line import Json, Quiet, Verbose
from core.console import Console
from core.errors import ExitCode
from tuner.command_options.applying import Alarm, Apply
from tuner.command_options.calls import PayloadFile, Payloads, Post, Pre
from tuner.command_options.goal import ColdShare, Requests
from tuner.command_options.measuring import ArchFunction
from tuner.command_options.places import Function
from tuner.commands.ending import end


def command(
    function: Function,
    region: Annotated[
        str | None, typer.Option("--region", metavar="NAME", help="AWS region.")
    ] = None,
    account: Annotated[
        str | None,
        typer.Option("--account", metavar="ID", help="The account's twelve digits."),
    ] = None,
    arch_function: ArchFunction = None,
    stack: Annotated[
        str | None,
        typer.Option("--stack", metavar="STACK", help="A deployed stack that FUNCTION is of."),
    ] = None,
    payload: PayloadFile = None,
    payloads: Payloads = None,
    pre: Pre = None,
    post: Post = None,
    cold_share: ColdShare = None,
    requests_per_month: Requests = None,
    apply: Apply = None,
    alarm: Alarm = None,
    log_group: Annotated[
        str | None,
        typer.Option(
            "--log-group",
            metavar="NAME",
            help="That of FUNCTION.",
            show_default="/aws/lambda/FUNCTION",
        ),
    ] = None,
    report_logs: Annotated[
        bool,
        typer.Option("--report-logs", help="Read from logs what answers lack of REPORT lines."),
    ] = False,
    preflight: Annotated[
        bool, typer.Option("--preflight", help="Also what `tune preflight` asks.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only what `tune --dry-run` asks.")
    ] = False,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print the least IAM policy for `tune` with these options; asks nobody, changes nothing."""

    def body(console: Console) -> ExitCode:
        from tuner.iam.command import IamOptions, iam

        options = IamOptions(
            function=function,
            arch_function=arch_function,
            region=region,
            account=account,
            log_group=log_group,
            payload=payload,
            payloads=payloads,
            pre=pre,
            post=post,
            cold_share=cold_share,
            requests_per_month=requests_per_month,
            apply=apply,
            alarms=tuple(alarm or ()),
            report_logs=report_logs,
            preflight=preflight,
            dry_run=dry_run,
            stack=stack,
        )
        return iam(options, console)

    end(body, json_output=json_output, quiet=quiet, verbose=verbose)
