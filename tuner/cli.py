"""`tune FUNCTION` and its other verbs: parses, calls one function, ends with its exit code.

Nothing heavy is imported at module level: `--help` must answer at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from core.command import run_command
from core.command_line import (
    GroupedCommand,
    Json,
    Quiet,
    Verbose,
    Version,
    new_app,
    run_app,
)
from core.console import Console
from core.errors import ExitCode
from tuner.command_options import (
    Arch,
    ArchFunction,
    ColdSamples,
    ColdShare,
    DryRun,
    Export,
    Function,
    GivenColdShare,
    GivenRequests,
    Knee,
    MaxInvocations,
    MaxMemory,
    MaxSeconds,
    MaxUsd,
    MinMemory,
    Objective,
    OtherPrices,
    Parallel,
    PayloadFile,
    PayloadJson,
    PriceFile,
    Profile,
    Region,
    Requests,
    Runs,
    Samples,
    Sandbox,
    Seed,
    ServerPriceFile,
    Sizes,
    Slo,
    Thorough,
    Weight,
    Yes,
)

# A function with one of these names is reached by `tune run NAME`.
VERBS = ("run", "analyze", "restore")

_EPILOG = """\
Examples:\n
  tune --sandbox thumbnail                     try it, no account needed\n
  tune my-function --payload event.json        measure on AWS\n
  tune my-function --dry-run                   what would it do and cost?\n
  tune my-function --slo "p95 < 300ms"         cheapest within a limit\n
  tune my-function --thorough --max-usd 0.50   look closer, for 50 cents\n
  tune my-function --requests-per-month auto   what is it worth in a month?\n
  tune my-function --sizes 512,1024,2048       these, 10 samples each\n
  tune my-function --arch both --arch-function my-function-arm\n
  tune my-function --export html=report.html   a page to share\n
\n
Other verbs: `tune analyze RUN` answers again from a run's samples, `tune restore` undoes what a
killed run left, `tune run NAME` tunes a function that is called like a verb.
"""


def _tune(
    function: Function,
    payload: PayloadFile = None,
    payload_json: PayloadJson = None,
    min_memory: MinMemory = None,
    max_memory: MaxMemory = None,
    thorough: Thorough = False,
    sizes: Sizes = None,
    samples: Samples = None,
    cold_samples: ColdSamples = None,
    arch: Arch = None,
    arch_function: ArchFunction = None,
    parallel: Parallel = 1,
    objective: Objective = None,
    weight: Weight = None,
    slo: Slo = None,
    knee: Knee = None,
    max_invocations: MaxInvocations = None,
    max_usd: MaxUsd = None,
    max_seconds: MaxSeconds = None,
    yes: Yes = False,
    cold_share: ColdShare = None,
    requests_per_month: Requests = None,
    price_file: PriceFile = None,
    server_price_file: ServerPriceFile = None,
    region: Region = None,
    profile: Profile = None,
    sandbox: Sandbox = False,
    dry_run: DryRun = False,
    export: Export = None,
    runs: Runs = Path("runs"),
    seed: Seed = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    version: Version = False,
) -> None:
    """Measure a Lambda function at several memory sizes and recommend one.

    After each few calls it decides where to call next, and when it knows enough: about 29 calls
    in all, 55 at most. With --sizes or --samples the plan is fixed.

    Publishes a version for each size that it calls, puts the function back at once, invokes the
    versions, and deletes them at the end. Traffic through an alias or a version never meets a
    test size; unqualified traffic may, for the seconds in which versions are published.
    """

    def body(console: Console) -> ExitCode:
        from tuner.options import TuneOptions
        from tuner.run import tune

        options = TuneOptions(
            function=function,
            payload_file=payload,
            payload_text=payload_json,
            sizes=sizes,
            min_memory_mb=min_memory,
            max_memory_mb=max_memory,
            samples=samples,
            thorough=thorough,
            parallel=parallel,
            max_invocations=max_invocations,
            max_usd=max_usd,
            max_seconds=max_seconds,
            objective=objective,
            weight=weight,
            slo=slo,
            knee=knee,
            cold_share=cold_share,
            cold_samples=cold_samples,
            requests_per_month=requests_per_month,
            seed=seed,
            region=region,
            profile=profile,
            sandbox=sandbox,
            price_file=price_file,
            server_price_file=server_price_file,
            arch=arch,
            arch_function=arch_function,
            exports=tuple(export or ()),
            runs=runs,
            dry_run=dry_run,
            yes=yes,
        )
        return tune(options, console)

    _end(body, json_output=json_output, quiet=quiet, verbose=verbose)


def _analyze(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")],
    objective: Objective = None,
    weight: Weight = None,
    slo: Slo = None,
    knee: Knee = None,
    cold_share: GivenColdShare = None,
    requests_per_month: GivenRequests = None,
    price_file: OtherPrices = None,
    server_price_file: ServerPriceFile = None,
    export: Export = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Answer again from the samples of a run, without invoking anything."""

    def body(console: Console) -> ExitCode:
        from tuner.analyze import AnalyzeOptions, analyze

        options = AnalyzeOptions(
            run=run,
            objective=objective,
            weight=weight,
            slo=slo,
            knee=knee,
            cold_share=cold_share,
            requests_per_month=requests_per_month,
            price_file=price_file,
            server_price_file=server_price_file,
            exports=tuple(export or ()),
        )
        return analyze(options, console)

    _end(body, json_output=json_output, quiet=quiet, verbose=verbose)


def _restore(
    function: Annotated[
        str | None,
        typer.Argument(
            metavar="FUNCTION", help="Function with the marks of a run that has no journal here."
        ),
    ] = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="Only show which runs have not ended.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    forget: Annotated[
        str | None,
        typer.Option(
            "--forget",
            metavar="RUN_ID",
            help="Drop a run whose function is gone, or a damaged journal.",
        ),
    ] = None,
    region: Annotated[str | None, typer.Option("--region", help="AWS region of FUNCTION.")] = None,
    profile: Profile = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Undo what killed runs left: memory, description and published versions."""

    def body(console: Console) -> ExitCode:
        from tuner.restore import RestoreOptions, restore

        options = RestoreOptions(
            function=function,
            region=region,
            profile=profile,
            list_only=list_only,
            forget=forget,
            yes=yes,
        )
        return restore(options, console)

    _end(body, json_output=json_output, quiet=quiet, verbose=verbose)


def _end(
    body: Callable[[Console], ExitCode], *, json_output: bool, quiet: bool, verbose: bool
) -> None:
    console = Console(verbosity=-1 if quiet else int(verbose), json_output=json_output)
    raise typer.Exit(run_command(console, lambda: body(console)))


def main() -> None:
    """The console script `tune`."""
    app = new_app()
    if len(sys.argv) > 1 and sys.argv[1] in VERBS:
        app.command("run", epilog=_EPILOG, cls=GroupedCommand)(_tune)
        app.command("analyze")(_analyze)
        app.command("restore")(_restore)
    else:
        app.command(epilog=_EPILOG, cls=GroupedCommand)(_tune)
    run_app(app, "tune")
