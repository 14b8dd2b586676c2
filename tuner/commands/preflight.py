"""`tune preflight`."""

from __future__ import annotations

from typing import Annotated

import typer

from core.command_line import Json, Quiet, Verbose
from core.console import Console
from core.errors import ExitCode
from tuner.command_options.calls import (
    AllowError,
    Parallel,
    PayloadFile,
    PayloadJson,
    Post,
    Pre,
    TenantId,
)
from tuner.command_options.measuring import MaxMemory, MinMemory, Sizes
from tuner.command_options.places import Function, Profile, Region, Sandbox
from tuner.commands.ending import end


def command(
    function: Function,
    payload: PayloadFile = None,
    payload_json: PayloadJson = None,
    allow_error: AllowError = None,
    tenant_id: TenantId = None,
    pre: Pre = None,
    post: Post = None,
    min_memory: MinMemory = None,
    max_memory: MaxMemory = None,
    sizes: Sizes = None,
    parallel: Parallel = 1,
    arch_function: Annotated[
        str | None,
        typer.Option(
            "--arch-function", metavar="FUNCTION", help="Also that of `tune --arch both`."
        ),
    ] = None,
    region: Region = None,
    profile: Profile = None,
    sandbox: Sandbox = False,
    yes: Annotated[bool, typer.Option("--yes", help="Agree to the trial.")] = False,
    no_trial: Annotated[
        bool, typer.Option("--no-trial", help="Do not invoke the function.")
    ] = False,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Look at what could keep a run from being made; changes nothing, invokes once if agreed."""

    def body(console: Console) -> ExitCode:
        from tuner.options import TuneOptions
        from tuner.preflight.run import preflight

        options = TuneOptions(
            function=function,
            payload_file=payload,
            payload_text=payload_json,
            allow_errors=tuple(allow_error or ()),
            tenant_id=tenant_id,
            pre=pre,
            post=post,
            min_memory_mb=min_memory,
            max_memory_mb=max_memory,
            sizes=sizes,
            parallel=1 if parallel is None else parallel,
            arch=None if arch_function is None else "both",
            arch_function=arch_function,
            region=region,
            profile=profile,
            sandbox=sandbox,
            yes=yes,
        )
        return preflight(options, console, with_trial=not no_trial)

    end(body, json_output=json_output, quiet=quiet, verbose=verbose)
