"""`loadgen run PROFILE` and its other verbs: parses, calls one function, ends with its exit code.

Nothing heavy is imported at module level: `--help` must answer at once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from core.command import run_command
from core.command_line import Json, Quiet, Verbose, Version, new_app, run_app
from core.console import Console
from core.errors import ExitCode
from loadgen.commands import collect, forecast, limits, preflight

_RUN_EPILOG = """\
Examples:\n
  loadgen run profiles/orders.yaml --sandbox      try it, no account needed\n
  loadgen run api.yaml --dry-run                  what would it send, and what would it cost?\n
  loadgen run api.yaml --env staging --set load.phases.0.rate=50\n
  loadgen run api.yaml --export html=report.html  a page to share\n
  loadgen run api.yaml --chart                    drawn in the terminal\n
\n
Exit codes: 0 pass, 2 a mistake in the profile, 3 a threshold failed, 5 the measurement is invalid,
6 a guard stopped it.
"""
_VALIDATE_EPILOG = """\
Examples:\n
  loadgen validate api.yaml                       what it does, or all that is wrong with it\n
  loadgen validate api.yaml --env staging --set load.seed=7\n
"""
_SCHEMA_EPILOG = """\
Example, for editors with the YAML language server:\n
  loadgen schema -o profile.schema.json\n
  and in the first line of a profile: # yaml-language-server: $schema=profile.schema.json\n
"""
_INIT_EPILOG = """\
Examples:\n
  loadgen init --stack orders -o orders.yaml      for a stack of the sandbox\n
  loadgen init --api a1b2c3d4e5 -o api.yaml       for an API of the account\n
"""

app = new_app()

ProfileFile = Annotated[Path, typer.Argument(metavar="PROFILE", help="The profile, a YAML file.")]
Environment = Annotated[
    str | None, typer.Option("--env", metavar="NAME", help="One of the profile's environments.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Instead of what the profile has."),
]
Region = Annotated[str | None, typer.Option("--region", help="AWS region.")]
AwsProfile = Annotated[str | None, typer.Option("--profile", help="AWS profile.")]


@app.callback()
def loadgen(version: Version = False) -> None:
    """Load-test the API in front of a Lambda function.

    Sends what a profile says, on schedule, and tells latencies, throttles and their causes.
    """


@app.command(epilog=_RUN_EPILOG)
def run(
    profile: ProfileFile,
    env: Environment = None,
    settings: Settings = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Test the profile's stack in a local AWS.")
    ] = False,
    processes: Annotated[
        int | None,
        typer.Option("--processes", metavar="N", min=1, max=64, help="Injector processes."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            metavar="N",
            min=0,
            help="Repeats the arrivals of a run.",
            show_default="random",
        ),
    ] = None,
    region: Region = None,
    aws_profile: AwsProfile = None,
    records: Annotated[
        bool | None,
        typer.Option(
            "--records/--no-records",
            help="One record for each request, on disk.",
            show_default="on",
        ),
    ] = None,
    logs: Annotated[
        bool | None,
        typer.Option(
            "--logs/--no-logs",
            help="Afterwards, look every request up in access log and REPORT lines.",
            show_default="off",
        ),
    ] = None,
    ui: Annotated[bool, typer.Option("--ui", help="Locust's web UI while the run lasts.")] = False,
    ui_port: Annotated[
        int, typer.Option("--ui-port", metavar="PORT", min=1, max=65_535, help="Where --ui is.")
    ] = 8089,
    export: Annotated[
        list[str] | None,
        typer.Option(
            "--export",
            metavar="KIND=PATH",
            help="Also write html=, md=, junit=, csv=, parquet= or json=.",
        ),
    ] = None,
    chart: Annotated[
        bool,
        typer.Option("--chart", help="Draw rates, latencies and percentiles in the terminal."),
    ] = False,
    runs: Annotated[Path, typer.Option("--runs", metavar="DIR", help="Folder for results.")] = Path(
        "runs"
    ),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show plan, limits and cost range, send nothing.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", help="Agree to a run that may cost over a dollar, or how much is not known."
        ),
    ] = False,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Send the load of a profile and judge what came back.

    Shows rates, latencies and throttles by cause while it runs. Ctrl-C ends it in order: requests
    in flight end, and a partial result is written.
    """

    def body(console: Console) -> ExitCode:
        from loadgen.options import RunOptions
        from loadgen.run import run_load

        options = RunOptions(
            profile=profile,
            environment=env,
            settings=tuple(settings or ()),
            sandbox=sandbox,
            region=region,
            aws_profile=aws_profile,
            processes=processes,
            seed=seed,
            runs=runs,
            exports=tuple(export or ()),
            chart=chart,
            dry_run=dry_run,
            yes=yes,
            ui=ui_port if ui else None,
            records=records,
            logs=logs,
        )
        return run_load(options, console)

    _end(body, json_output=json_output, quiet=quiet, verbose=verbose)


@app.command(epilog=_VALIDATE_EPILOG)
def validate(
    profile: ProfileFile,
    env: Environment = None,
    settings: Settings = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say what a profile does, or all that is wrong with it, each with its line.

    Sends nothing and asks AWS nothing.
    """

    def body(console: Console) -> ExitCode:
        from loadgen.profile_commands import validate_profile

        return validate_profile(
            profile, environment=env, settings=tuple(settings or ()), console=console
        )

    _end(body, json_output=json_output, quiet=quiet, verbose=verbose)


@app.command(epilog=_INIT_EPILOG)
def init(
    api: Annotated[
        str | None, typer.Option("--api", metavar="API", help="Id or name of an API.")
    ] = None,
    stage: Annotated[
        str | None, typer.Option("--stage", help="Its stage, where it has several.")
    ] = None,
    stack: Annotated[
        str | None,
        typer.Option("--stack", metavar="STACK", help="A stack of the sandbox: a file, or orders."),
    ] = None,
    region: Region = None,
    aws_profile: AwsProfile = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Instead of stdout.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write a commented profile to begin with, with the routes that an API has."""

    def body(console: Console) -> ExitCode:
        from loadgen.options import InitOptions
        from loadgen.profile_init import init_profile

        options = InitOptions(
            api=api,
            stage=stage,
            stack=stack,
            region=region,
            aws_profile=aws_profile,
            output=output,
            force=force,
        )
        return init_profile(options, console)

    _end(body, json_output=json_output, quiet=quiet, verbose=verbose)


@app.command(epilog=_SCHEMA_EPILOG)
def schema(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Instead of stdout.")
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write the JSON Schema of profiles, with which editors complete and check them."""

    def body(console: Console) -> ExitCode:
        from loadgen.profile_commands import write_schema

        return write_schema(output, console)

    _end(body, json_output=False, quiet=quiet, verbose=verbose)


app.command("forecast", epilog=forecast.EPILOG)(forecast.command)
app.command("collect", epilog=collect.EPILOG)(collect.command)
app.command("preflight", epilog=preflight.EPILOG)(preflight.command)
app.command("limits", epilog=limits.EPILOG)(limits.command)


def _end(
    body: Callable[[Console], ExitCode], *, json_output: bool, quiet: bool, verbose: bool
) -> None:
    console = Console(verbosity=-1 if quiet else int(verbose), json_output=json_output)
    raise typer.Exit(run_command(console, lambda: body(console)))


def main() -> None:
    """The console script `loadgen`."""
    run_app(app, "loadgen")
