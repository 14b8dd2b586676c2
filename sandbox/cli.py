"""The command line of the sandbox: `sandbox up`, `sandbox deploy`, `sandbox functions`, ...

Only what `--help` needs is imported here; servers and SDKs are imported by the commands.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.command import run_command
from core.command_line import Json, Quiet, Verbose, Version, new_app, run_app
from core.console import Console
from core.errors import ExitCode, InputError
from sandbox.fault_commands import enforcement, fault_app, limits, network

if TYPE_CHECKING:
    from sandbox.bundled import FunctionFolder

DEFAULT_PORT = 4599

app = new_app()
app.add_typer(fault_app, name="fault")


@app.callback()
def sandbox(version: Version = False) -> None:
    """Run a local AWS for the toolkit: Lambda on the loopback interface, without an account."""


class CpuModel(StrEnum):
    """How the CPU share that memory buys is modelled."""

    linear = "linear"
    cfs20 = "cfs20"
    off = "off"


@app.command()
def up(
    *,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FOLDER]...", help="Folders with a function.json, deployed at the start."
        ),
    ] = None,
    stack: Annotated[
        str | None,
        typer.Option(
            help="APIs, functions and usage plans to deploy: a file, or `orders`.",
            metavar="STACK",
        ),
    ] = None,
    functions: Annotated[
        bool,
        typer.Option("--functions/--no-functions", help="Deploy the bundled functions too."),
    ] = True,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes any free one.")] = (
        DEFAULT_PORT
    ),
    state: Annotated[
        str | None, typer.Option(help="Keep functions here between two runs.", metavar="DIR")
    ] = None,
    cpu_model: Annotated[
        CpuModel, typer.Option(help="How the CPU share of a memory size is modelled.")
    ] = CpuModel.linear,
    account_concurrency: Annotated[
        int | None,
        typer.Option(help="Concurrent executions of the account; 1000 unless the stack has it."),
    ] = None,
    max_memory_mb: Annotated[
        int, typer.Option(help="Largest memory size; new AWS accounts have 3008.")
    ] = 10_240,
    update_ms: Annotated[
        float, typer.Option(help="How long a change of a function is in progress.")
    ] = 50.0,
    metrics_delay: Annotated[
        float,
        typer.Option(help="Publish a minute of metrics so long after its end.", metavar="SECONDS"),
    ] = 0.0,
    region: Annotated[str, typer.Option(help="The region that it serves.")] = "us-east-1",
    stop_with_stdin: Annotated[
        bool, typer.Option("--stop-with-stdin", help="Stop when stdin ends.")
    ] = False,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Run the sandbox until Ctrl-C or SIGTERM.

    stdout says which variables send an AWS SDK to it: as export lines, or with --json as one line
    for a parent process, written when it is ready.
    """
    console = _console(json_output=json_output, quiet=quiet, verbose=verbose)

    def body() -> ExitCode:
        from sandbox.up import UpOptions, run_up

        options = UpOptions(
            folders=tuple(folders or ()),
            stack=stack,
            with_bundled=functions,
            port=port,
            state_dir=None if state is None else _directory(state),
            cpu_model=cpu_model.value,
            account_concurrency=account_concurrency,
            max_memory_mb=max_memory_mb,
            update_ms=update_ms,
            metrics_delay_s=metrics_delay,
            region=region,
            stop_with_stdin=stop_with_stdin,
        )
        return run_up(options, console)

    raise typer.Exit(run_command(console, body))


@app.command()
def deploy(
    stack: Annotated[str, typer.Argument(metavar="STACK", help="A stack file, or `orders`.")],
    *,
    endpoint: Annotated[
        str, typer.Option(help="URL of the running sandbox.", envvar="AWS_ENDPOINT_URL")
    ] = f"http://127.0.0.1:{DEFAULT_PORT}",
    region: Annotated[
        str | None, typer.Option(help="The region that it serves.", envvar="AWS_REGION")
    ] = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Deploy a stack into a sandbox that runs already.

    What differs is changed in place: ids, keys, buckets and counters stay. What the stack made
    before and does not have any more is removed.
    """
    console = _console(json_output=json_output, quiet=quiet, verbose=verbose)

    def body() -> ExitCode:
        from sandbox.stack.run import DeployOptions, run_deploy

        return run_deploy(DeployOptions(stack=stack, endpoint=endpoint, region=region), console)

    raise typer.Exit(run_command(console, body))


@app.command()
def functions(*, json_output: Json = False, quiet: Quiet = False) -> None:
    """List the functions that the sandbox brings along."""
    console = _console(json_output=json_output, quiet=quiet, verbose=False)

    def body() -> ExitCode:
        from sandbox.bundled import bundled_functions

        folders = bundled_functions()
        if json_output:
            _print_json(console, folders)
        else:
            _print_table(console, folders)
        return ExitCode.PASS

    raise typer.Exit(run_command(console, body))


def _directory(state: str) -> Path:
    # An empty path would be the working directory: --state "$UNSET" is not meant so.
    if not state:
        raise InputError("--state: must name a directory (got '')")
    return Path(state)


app.command()(limits)
app.command()(enforcement)
app.command()(network)


def _print_json(console: Console, folders: tuple[FunctionFolder, ...]) -> None:
    import json

    from sandbox.up import described

    document = {
        "schema_version": 1,
        "verdict": "pass",
        "exit_code": 0,
        "errors": [],
        "functions": [described(folder) for folder in folders],
    }
    console.document(json.dumps(document))


def _print_table(console: Console, folders: tuple[FunctionFolder, ...]) -> None:
    from rich.table import Table

    table = Table("Name", "Runtime", "Memory", "What it does", box=None)
    for folder in folders:
        table.add_row(folder.name, folder.runtime, f"{folder.memory_mb} MB", folder.description)
    console.show(table)


def _console(*, json_output: bool, quiet: bool, verbose: bool) -> Console:
    return Console(verbosity=-1 if quiet else int(verbose), json_output=json_output)


def main() -> None:
    """The console script `sandbox`."""
    run_app(app, "sandbox")
