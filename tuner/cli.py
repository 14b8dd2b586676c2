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
from core.command_line import Json, Quiet, Verbose, Version, new_app, run_app
from core.console import Console
from core.errors import ExitCode

# A function with one of these names is reached by `tune run NAME`.
VERBS = ("run", "analyze", "restore")

_EPILOG = """\
Examples:\n
  tune --sandbox thumbnail                     try it, no account needed\n
  tune my-function --payload event.json        measure on AWS\n
  tune my-function --dry-run                   what would it do and cost?\n
  tune my-function --export html=report.html   a page to share\n
\n
Other verbs: `tune analyze RUN` answers again from a run's samples, `tune restore` undoes what a
killed run left, `tune run NAME` tunes a function that is called like a verb.
"""

Objective = Annotated[
    str, typer.Option("--objective", metavar="cost|speed|balanced", help="What is best.")
]
Weight = Annotated[
    float | None,
    typer.Option("--weight", help="Balanced: weight of cost, 0 to 1.", show_default="0.5"),
]
PriceFile = Annotated[
    Path | None, typer.Option("--price-file", help="Prices to use instead of the bundled ones.")
]
OtherPrices = Annotated[
    Path | None, typer.Option("--price-file", help="Prices to use instead of those of the run.")
]
Export = Annotated[
    list[str] | None,
    typer.Option("--export", metavar="KIND=PATH", help="Also write html=, md=, csv= or json=."),
]
Profile = Annotated[str | None, typer.Option("--profile", help="AWS profile.")]


def _tune(
    function: Annotated[str, typer.Argument(metavar="FUNCTION", help="Function name or ARN.")],
    payload: Annotated[
        str | None, typer.Option("--payload", metavar="FILE", help="JSON event; - reads stdin.")
    ] = None,
    payload_json: Annotated[
        str | None, typer.Option("--payload-json", metavar="JSON", help="The event itself.")
    ] = None,
    sizes: Annotated[
        str | None,
        typer.Option(
            "--sizes",
            metavar="MB,MB,...",
            show_default="128,256,512,1024,1769,3008",
            help="Memory sizes to measure.",
        ),
    ] = None,
    min_memory: Annotated[
        int | None, typer.Option("--min-memory", metavar="MB", help="Smallest size to measure.")
    ] = None,
    max_memory: Annotated[
        int | None, typer.Option("--max-memory", metavar="MB", help="Largest size to measure.")
    ] = None,
    samples: Annotated[
        int, typer.Option("--samples", metavar="N", help="Warm samples at each size.")
    ] = 10,
    parallel: Annotated[
        int,
        typer.Option(
            "--parallel", metavar="N", help="Sizes invoked at the same time; never one size twice."
        ),
    ] = 1,
    objective: Objective = "cost",
    weight: Weight = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", help="Repeats the order of a run.", show_default="random"),
    ] = None,
    region: Annotated[str | None, typer.Option("--region", help="AWS region.")] = None,
    profile: Profile = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Measure in a local AWS that lives for this run.")
    ] = False,
    price_file: PriceFile = None,
    export: Export = None,
    runs: Annotated[Path, typer.Option("--runs", metavar="DIR", help="Folder for results.")] = Path(
        "runs"
    ),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show plan and cost range, change nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Agree to a run that may cost over a dollar.")
    ] = False,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    version: Version = False,
) -> None:
    """Measure a Lambda function at several memory sizes and recommend one.

    Publishes one version for each size, puts the function back at once, invokes the versions,
    and deletes them at the end. Traffic through an alias or a version never meets a test size;
    unqualified traffic may, for the seconds in which versions are published.
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
            parallel=parallel,
            objective=objective,
            weight=weight,
            seed=seed,
            region=region,
            profile=profile,
            sandbox=sandbox,
            price_file=price_file,
            exports=tuple(export or ()),
            runs=runs,
            dry_run=dry_run,
            yes=yes,
        )
        return tune(options, console)

    _end(body, json_output=json_output, quiet=quiet, verbose=verbose)


def _analyze(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")],
    objective: Objective = "cost",
    weight: Weight = None,
    price_file: OtherPrices = None,
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
            price_file=price_file,
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
        app.command("run", epilog=_EPILOG)(_tune)
        app.command("analyze")(_analyze)
        app.command("restore")(_restore)
    else:
        app.command(epilog=_EPILOG)(_tune)
    run_app(app, "tune")
