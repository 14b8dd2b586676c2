"""`sandbox fault`, `limits`, `enforcement` and `network`: commands for a running sandbox.

Only what `--help` needs is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from core.command import run_command
from core.command_line import Json, Quiet, new_app
from core.console import Console
from core.errors import ExitCode
from core.text import one_line

DEFAULT_ENDPOINT = "http://127.0.0.1:4599"

Endpoint = Annotated[
    str,
    typer.Option(
        envvar="AWS_ENDPOINT_URL",
        help="Where the sandbox answers.",
        metavar="URL",
        show_envvar=True,
    ),
]

# Of `sandbox fault add`; all its other parameters are settings of the fault.
_OWN_OPTIONS = frozenset({"endpoint", "json_output", "quiet"})

fault_app = new_app()


@fault_app.callback()
def fault() -> None:
    """Let things go wrong in a running sandbox: slow answers, 5xx, resets, throttles."""


@fault_app.command("add")
def add_fault(
    context: typer.Context,
    *,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="latency, status, reset, stall, slow-body, waf, throttle-control-plane, "
            "late-metrics, late-logs, lambda-throttle or lambda-error.",
        ),
    ],
    for_s: Annotated[
        float | None, typer.Option("--for", help="End it after so many seconds.", metavar="S")
    ] = None,
    share: Annotated[
        float | None, typer.Option(help="The share that it hits, up to 1 (all).")
    ] = None,
    count: Annotated[int | None, typer.Option(help="End it after so many hits.")] = None,
    api: Annotated[str | None, typer.Option(help="Only this API, by id or name.")] = None,
    stage: Annotated[str | None, typer.Option(help="Only this stage.")] = None,
    route: Annotated[
        str | None, typer.Option(help="Only this route, such as 'GET /orders/{id}'.")
    ] = None,
    function: Annotated[
        str | None, typer.Option(help="Only this function (lambda-throttle, lambda-error).")
    ] = None,
    ms: Annotated[float | None, typer.Option(help="How long (latency, stall), in ms.")] = None,
    where: Annotated[str | None, typer.Option(help="integration or gateway (latency).")] = None,
    status: Annotated[int | None, typer.Option(help="500 to 599 (status).")] = None,
    message: Annotated[
        str | None, typer.Option(help="What the answer says (status, lambda-error).")
    ] = None,
    after_bytes: Annotated[
        int | None, typer.Option(help="After so many bytes of the answer (reset, stall).")
    ] = None,
    then: Annotated[str | None, typer.Option(help="continue or end (stall).")] = None,
    bytes_per_s: Annotated[
        float | None, typer.Option(help="How fast the body comes (slow-body).")
    ] = None,
    delay_s: Annotated[
        float | None, typer.Option(help="How much later (late-metrics, late-logs).")
    ] = None,
    rate_rps: Annotated[
        float | None, typer.Option(help="Refuse what is above (throttle-control-plane).")
    ] = None,
    burst: Annotated[int | None, typer.Option(help="With --rate-rps: at once.")] = None,
    rate_limit: Annotated[
        int | None,
        typer.Option(help="Block while more requests came in the window before (waf)."),
    ] = None,
    window_s: Annotated[
        float | None, typer.Option(help="With --rate-limit: that window; 300 without it.")
    ] = None,
    check_s: Annotated[
        float | None, typer.Option(help="With --rate-limit: how often it looks; 5 without it.")
    ] = None,
    service: Annotated[
        str | None, typer.Option(help="Only calls of this service (throttle-control-plane).")
    ] = None,
    operation: Annotated[
        str | None, typer.Option(help="Only calls of this operation (throttle-control-plane).")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Of the 429 (lambda-throttle).")] = None,
    error_type: Annotated[
        str | None, typer.Option(help="What the function raises (lambda-error).")
    ] = None,
    endpoint: Endpoint = DEFAULT_ENDPOINT,
    json_output: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a fault active, until it is cleared or its --for or --count is over.

    sandbox fault add latency --ms 200 --share 0.1 --api orders --for 30

    sandbox fault add status --status 503 --route 'GET /orders/{id}' --count 5

    sandbox fault add waf --rate-limit 1000 --window-s 60

    sandbox fault add throttle-control-plane --rate-rps 10 --burst 40 --service apigateway

    sandbox fault add lambda-error --function checkout --error-type ValueError
    """
    settings = {
        name: value
        for name, value in context.params.items()
        if value is not None and name not in _OWN_OPTIONS
    }

    def body(console: Console) -> dict[str, Any]:
        from sandbox.admin_client import AdminClient

        added = AdminClient(endpoint).add_fault(settings)
        console.show(_described(added))
        return {"faults": [added]}

    _run(body, json_output=json_output, quiet=quiet)


@fault_app.command("list")
def list_faults(
    *, endpoint: Endpoint = DEFAULT_ENDPOINT, json_output: Json = False, quiet: Quiet = False
) -> None:
    """List the active faults, with how often each has hit."""

    def body(console: Console) -> dict[str, Any]:
        from sandbox.admin_client import AdminClient

        faults = AdminClient(endpoint).faults()
        for active in faults:
            console.show(_described(active))
        if not faults:
            console.say("no fault is active")
        return {"faults": faults}

    _run(body, json_output=json_output, quiet=quiet)


@fault_app.command("clear")
def clear_faults(
    *,
    fault_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Which one; all without it.")
    ] = None,
    endpoint: Endpoint = DEFAULT_ENDPOINT,
    json_output: Json = False,
    quiet: Quiet = False,
) -> None:
    """End one fault, or all.

    sandbox fault clear f1
    """

    def body(console: Console) -> dict[str, Any]:
        from sandbox.admin_client import AdminClient

        removed = AdminClient(endpoint).clear_faults(fault_id)
        console.say(f"{removed} {'fault' if removed == 1 else 'faults'} cleared")
        return {"removed": removed}

    _run(body, json_output=json_output, quiet=quiet)


def limits(
    *, endpoint: Endpoint = DEFAULT_ENDPOINT, json_output: Json = False, quiet: Quiet = False
) -> None:
    """Show every throttle and quota that saw requests, with what it admitted and refused.

    A refused request counts at the first limit that refused it. Clients never learn which one that
    was: this is the truth to compare a measurement with.
    """

    def body(console: Console) -> dict[str, Any]:
        from sandbox.admin_client import AdminClient
        from sandbox.limits_view import show_limits

        document = AdminClient(endpoint).limits()
        show_limits(console, document)
        return document

    _run(body, json_output=json_output, quiet=quiet)


def enforcement(
    *,
    spec: Annotated[
        str | None,
        typer.Argument(
            metavar="[SPEC]",
            help="exact, or key=value pairs with commas: shards, spread (random, hashed), uneven, "
            "sync_ms, debt (kept, forgiven), window_ms, adaptive, adaptive_ms, background_rps, "
            "background (poisson, steady), background_on (account, stage, method, key), seed.",
        ),
    ] = None,
    endpoint: Endpoint = DEFAULT_ENDPOINT,
    json_output: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show or change how strictly throttles are kept.

    sandbox enforcement shards=4,spread=hashed,uneven=0.5

    sandbox enforcement shards=4,sync_ms=500,debt=forgiven

    sandbox enforcement window_ms=1000

    sandbox enforcement adaptive=0.8,adaptive_ms=2000

    sandbox enforcement background_rps=50,background_on=stage

    sandbox enforcement exact
    """

    def body(console: Console) -> dict[str, Any]:
        from sandbox.admin_client import AdminClient

        client = AdminClient(endpoint)
        document = client.enforcement() if spec is None else client.enforce(spec)
        console.show(str(document["text"]))
        return {"enforcement": document}

    _run(body, json_output=json_output, quiet=quiet)


def network(
    *,
    switch: Annotated[
        str | None, typer.Argument(metavar="[off]", help="Delay nothing any more.")
    ] = None,
    delay_ms: Annotated[
        float | None, typer.Option(help="Of one way, on average.", metavar="MS")
    ] = None,
    jitter_ms: Annotated[
        float | None,
        typer.Option(help="The standard deviation of that; 0 without it.", metavar="MS"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Repeats the draws.")] = None,
    endpoint: Endpoint = DEFAULT_ENDPOINT,
    json_output: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show or change how far away APIs are: how long requests and answers take.

    Both ways of each request are drawn by themselves, lognormal. Calls of AWS are not delayed.

    sandbox network --delay-ms 5 --jitter-ms 10

    sandbox network off
    """
    given = {"delay_ms": delay_ms, "jitter_ms": jitter_ms, "seed": seed}
    settings = {name: value for name, value in given.items() if value is not None}

    def body(console: Console) -> dict[str, Any]:
        from core.errors import InputError
        from sandbox.admin_client import AdminClient

        if switch not in (None, "off"):
            raise InputError(f"network: must be off, or options (got {switch})")
        if switch and settings:
            raise InputError("network: off goes with no other option")
        client = AdminClient(endpoint)
        if switch:
            document = client.end_delays()
        else:
            document = client.delay(settings) if settings else client.network()
        console.show(str(document["text"]))
        return {"network": document}

    _run(body, json_output=json_output, quiet=quiet)


def _run(body: Callable[[Console], Mapping[str, Any]], *, json_output: bool, quiet: bool) -> None:
    """Ends the command; what `body` gives is in the document that --json writes."""
    console = Console(verbosity=-1 if quiet else 0, json_output=json_output)

    def whole() -> ExitCode:
        document = body(console)
        if json_output:
            import json

            head = {"schema_version": 1, "verdict": "pass", "exit_code": 0, "errors": []}
            console.document(json.dumps({**head, **document}))
        return ExitCode.PASS

    raise typer.Exit(run_command(console, whole))


def _described(active: Mapping[str, Any]) -> str:
    """One line about an active fault."""
    hidden = {"id", "kind", "left_s", "hits", "for_s"}
    if active.get("share") == 1:
        hidden.add("share")
    settings = [f"{name}={_figure(value)}" for name, value in active.items() if name not in hidden]
    left = "until cleared" if active["left_s"] is None else f"{active['left_s']:.0f} s left"
    what = one_line(" ".join([active["kind"], *settings]))
    return f"{active['id']}  {what}  ({left}, {active['hits']} hits)"


def _figure(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
