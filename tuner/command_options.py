"""The options of `tune` as its help shows them; imports typer and nothing else that takes time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_GOAL, _PLAN, _BUDGET = "What is best", "What is measured", "When to stop"
_EVENT, _CALL = "What each call gets", "How calls are made and counted"
_APPLY = "What is done with the answer"
_WHICH = "Which functions of a stack"
_USE, _OUTPUT, _PLACE = "How it is used", "What comes out", "Where it runs"

Objective = Annotated[
    str | None,
    typer.Option(
        "--objective",
        metavar="NAME",
        help="cost, speed, balanced, slo or knee.",
        show_default="cost",
        rich_help_panel=_GOAL,
    ),
]
Weight = Annotated[
    float | None,
    typer.Option(
        "--weight",
        metavar="W",
        help="Balanced: weight of cost, 0 to 1.",
        show_default="0.5",
        rich_help_panel=_GOAL,
    ),
]
Slo = Annotated[
    str | None,
    typer.Option(
        "--slo",
        metavar="LIMIT",
        help='The cheapest size that keeps it: "p95 < 300ms".',
        rich_help_panel=_GOAL,
    ),
]
Knee = Annotated[
    str | None,
    typer.Option(
        "--knee",
        metavar="SHARE",
        help="With 10%: the size beyond which another 10% of speed costs over 10%.",
        rich_help_panel=_GOAL,
    ),
]
ColdShare = Annotated[
    str | None,
    typer.Option(
        "--cold-share",
        metavar="SHARE",
        help="Mix in cold calls: 2%, or auto to read it from logs.",
        rich_help_panel=_USE,
    ),
]
Requests = Annotated[
    str | None,
    typer.Option(
        "--requests-per-month",
        metavar="N",
        help="Costs of a month: 3.2M, or auto to read it from metrics.",
        rich_help_panel=_USE,
    ),
]
GivenColdShare = Annotated[
    str | None, typer.Option("--cold-share", metavar="SHARE", help="Mix in cold calls: 2%.")
]
GivenRequests = Annotated[
    str | None,
    typer.Option("--requests-per-month", metavar="N", help="Costs of a month: 3.2M."),
]
PriceFile = Annotated[
    Path | None,
    typer.Option(
        "--price-file",
        metavar="FILE",
        help="Prices to use instead of the bundled ones.",
        rich_help_panel=_USE,
    ),
]
ServerPriceFile = Annotated[
    Path | None,
    typer.Option(
        "--server-price-file",
        metavar="FILE",
        help="Prices of machines to compare a month with.",
        rich_help_panel=_USE,
    ),
]
OtherPrices = Annotated[
    Path | None,
    typer.Option("--price-file", metavar="FILE", help="Prices to use instead of those of the run."),
]
Export = Annotated[
    list[str] | None,
    typer.Option(
        "--export",
        metavar="KIND=PATH",
        help="Also write html=, md=, csv= or json=; repeatable.",
        rich_help_panel=_OUTPUT,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="AWS profile.", rich_help_panel=_PLACE),
]
Function = Annotated[
    str,
    typer.Argument(metavar="FUNCTION", help="Function name or ARN, or NAME:ALIAS, NAME:VERSION."),
]
Functions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FUNCTION",
        help="Function names or ARNs, or NAME:ALIAS; --power-tuning or --stack may name them.",
        show_default=False,
    ),
]
Stack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        metavar="STACK",
        help="The functions of a SAM, CloudFormation or serverless.yml file, or of a stack.",
        rich_help_panel=_WHICH,
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="NAME",
        help="Only this function of it; may have * and ?, and be repeated.",
        rich_help_panel=_WHICH,
    ),
]
Except = Annotated[
    list[str] | None,
    typer.Option(
        "--except",
        metavar="NAME",
        help="Not this function of it; likewise.",
        rich_help_panel=_WHICH,
    ),
]
Stage = Annotated[
    str | None,
    typer.Option(
        "--stage",
        metavar="NAME",
        help="Stage of a serverless.yml.",
        show_default="its own, or dev",
        rich_help_panel=_WHICH,
    ),
]
PowerTuning = Annotated[
    Path | None,
    typer.Option(
        "--power-tuning",
        metavar="FILE",
        help="Options from an input file of aws-lambda-power-tuning; those given go first.",
        rich_help_panel=_PLAN,
    ),
]
PayloadFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--payload",
        metavar="FILE",
        help="JSON event: a file, s3://BUCKET/KEY, or - for stdin; FUNCTION=FILE for one of "
        "several functions.",
        show_default="{}",
        rich_help_panel=_EVENT,
    ),
]
PayloadFile = Annotated[
    str | None,
    typer.Option(
        "--payload",
        metavar="FILE",
        help="JSON event: a file, s3://BUCKET/KEY, or - for stdin.",
        show_default="{}",
        rich_help_panel=_EVENT,
    ),
]
PayloadJson = Annotated[
    str | None,
    typer.Option(
        "--payload-json", metavar="JSON", help="The event itself.", rich_help_panel=_EVENT
    ),
]
PayloadsFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--payloads",
        metavar="FILE",
        help="Several weighted events: a JSON list or NDJSON of payload, weight, name.",
        rich_help_panel=_EVENT,
    ),
]
Payloads = Annotated[
    str | None,
    typer.Option(
        "--payloads",
        metavar="FILE",
        help="Several weighted events: a JSON list or NDJSON of payload, weight, name.",
        rich_help_panel=_EVENT,
    ),
]
AllowError = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-error",
        metavar="TYPE",
        help="An error of the function that is an answer like others; repeatable.",
        rich_help_panel=_CALL,
    ),
]
Discard = Annotated[
    float | None,
    typer.Option(
        "--discard",
        metavar="SHARE",
        help="Fixed plan: leave out that share of a size's samples at each end.",
        show_default="0.1",
        rich_help_panel=_CALL,
    ),
]
DiscardFirst = Annotated[
    int | None,
    typer.Option(
        "--discard-first",
        metavar="N",
        help="The first N warm calls of each size do not count.",
        show_default="0",
        rich_help_panel=_CALL,
    ),
]
ColdOnly = Annotated[
    bool,
    typer.Option(
        "--cold-only",
        help="Fixed plan: measure cold starts only, each by a version of its own.",
        rich_help_panel=_PLAN,
    ),
]
Sleep = Annotated[
    float | None,
    typer.Option(
        "--sleep",
        metavar="S",
        help="Seconds between the end of a call and the next one.",
        show_default="0",
        rich_help_panel=_CALL,
    ),
]
TestRun = Annotated[
    bool,
    typer.Option(
        "--test-run",
        help="Make one call at each size, say what works, recommend nothing.",
        rich_help_panel=_PLAN,
    ),
]
KeepOutputs = Annotated[
    bool,
    typer.Option(
        "--keep-outputs",
        help="Keep what the function answers in the folder of the run.",
        rich_help_panel=_OUTPUT,
    ),
]
MinMemory = Annotated[
    int | None,
    typer.Option(
        "--min-memory",
        metavar="MB",
        help="Smallest size to measure.",
        show_default="128",
        rich_help_panel=_PLAN,
    ),
]
MaxMemory = Annotated[
    int | None,
    typer.Option(
        "--max-memory",
        metavar="MB",
        help="Largest size to measure.",
        show_default="3008",
        rich_help_panel=_PLAN,
    ),
]
Thorough = Annotated[
    bool,
    typer.Option("--thorough", help="Go on until the answer is surer.", rich_help_panel=_PLAN),
]
Sizes = Annotated[
    str | None,
    typer.Option(
        "--sizes",
        metavar="MB,MB,...",
        help="Fixed plan: measure exactly these sizes; all: each 64 MB.",
        rich_help_panel=_PLAN,
    ),
]
Samples = Annotated[
    int | None,
    typer.Option(
        "--samples",
        metavar="N",
        help="Fixed plan: so many warm samples at each size.",
        rich_help_panel=_PLAN,
    ),
]
ColdSamples = Annotated[
    int | None,
    typer.Option(
        "--cold-samples",
        metavar="N",
        help="Cold samples at the sizes that matter, by versions of their own.",
        show_default="1",
        rich_help_panel=_PLAN,
    ),
]
Arch = Annotated[
    str | None,
    typer.Option(
        "--arch",
        metavar="both",
        help="Compare x86_64 and arm64: measure the function below, too.",
        show_default="the function's own",
        rich_help_panel=_PLAN,
    ),
]
ArchFunction = Annotated[
    str | None,
    typer.Option(
        "--arch-function",
        metavar="FUNCTION",
        help="The same work on the other architecture.",
        rich_help_panel=_PLAN,
    ),
]
TenantId = Annotated[
    str | None,
    typer.Option(
        "--tenant-id",
        metavar="ID",
        help="The tenant of all calls, for functions that isolate tenants.",
        rich_help_panel=_EVENT,
    ),
]
Pre = Annotated[
    str | None,
    typer.Option(
        "--pre",
        metavar="HOOK",
        help="Before each call: lambda:NAME, python:MODULE:FUNCTION or a command.",
        rich_help_panel=_EVENT,
    ),
]
Post = Annotated[
    str | None,
    typer.Option(
        "--post", metavar="HOOK", help="After each call, likewise.", rich_help_panel=_EVENT
    ),
]
HookTimeout = Annotated[
    float | None,
    typer.Option(
        "--hook-timeout",
        metavar="S",
        help="Seconds that a hook may take.",
        show_default="60",
        rich_help_panel=_EVENT,
    ),
]
Parallel = Annotated[
    int | None,
    typer.Option(
        "--parallel",
        metavar="N",
        help="Sizes invoked at the same time; never one size twice.",
        show_default="1",
        rich_help_panel=_CALL,
    ),
]
SkipTrial = Annotated[
    bool,
    typer.Option(
        "--skip-trial",
        help="Leave out the call at today's size that comes first.",
        rich_help_panel=_CALL,
    ),
]
MaxInvocations = Annotated[
    int | None,
    typer.Option(
        "--max-invocations",
        metavar="N",
        help="End with the best answer so far after N calls.",
        rich_help_panel=_BUDGET,
    ),
]
MaxUsd = Annotated[
    float | None,
    typer.Option(
        "--max-usd", metavar="X", help="... before the bill is over X.", rich_help_panel=_BUDGET
    ),
]
MaxSeconds = Annotated[
    float | None,
    typer.Option(
        "--max-seconds", metavar="S", help="... after S seconds.", rich_help_panel=_BUDGET
    ),
]
Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        help="Agree to a run that may cost over a dollar, and to --apply.",
        rich_help_panel=_BUDGET,
    ),
]
Region = Annotated[
    str | None,
    typer.Option("--region", metavar="NAME", help="AWS region.", rich_help_panel=_PLACE),
]
Sandbox = Annotated[
    bool,
    typer.Option(
        "--sandbox",
        help="Measure in a local AWS that lives for this run.",
        rich_help_panel=_PLACE,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Show plan and cost range, change nothing.",
        rich_help_panel=_OUTPUT,
    ),
]
Runs = Annotated[
    Path,
    typer.Option("--runs", metavar="DIR", help="Folder for results.", rich_help_panel=_OUTPUT),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        metavar="N",
        help="Repeats what a run draws.",
        show_default="random",
        rich_help_panel=_OUTPUT,
    ),
]
ShiftShare = Annotated[
    str | None,
    typer.Option(
        "--shift-share",
        metavar="SHARE",
        help="With shift=NAME: the first share of the alias's calls.",
        show_default="10%",
        rich_help_panel=_APPLY,
    ),
]
ShiftSeconds = Annotated[
    float | None,
    typer.Option(
        "--shift-seconds",
        metavar="S",
        help="With shift=NAME: how long both versions are compared.",
        show_default="300",
        rich_help_panel=_APPLY,
    ),
]
Check = Annotated[
    str | None,
    typer.Option(
        "--check",
        metavar="COMMAND",
        help="With shift=NAME: goes back unless it ends with 0; once a minute.",
        rich_help_panel=_APPLY,
    ),
]
Alarm = Annotated[
    list[str] | None,
    typer.Option(
        "--alarm",
        metavar="NAME",
        help="With shift=NAME: goes back when this CloudWatch alarm rings; repeatable.",
        rich_help_panel=_APPLY,
    ),
]
Apply = Annotated[
    str | None,
    typer.Option(
        "--apply",
        metavar="WHERE",
        help="After a run that passes, give it the size: latest, alias=NAME or shift=NAME.",
        rich_help_panel=_APPLY,
    ),
]
