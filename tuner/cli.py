"""`tune FUNCTION` and its other verbs: parses, calls one function, ends with its exit code.

Nothing heavy is imported at module level: `--help` must answer at once.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

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
from core.errors import ExitCode, InputError
from tuner.command_options.applying import Alarm, Apply, Check, ShiftSeconds, ShiftShare
from tuner.command_options.calls import (
    AllowError,
    Discard,
    DiscardFirst,
    HookTimeout,
    Parallel,
    PayloadFiles,
    PayloadJson,
    PayloadsFiles,
    Post,
    Pre,
    SkipTrial,
    Sleep,
    TenantId,
)
from tuner.command_options.goal import (
    ColdShare,
    Knee,
    Objective,
    PriceFile,
    Requests,
    ServerPriceFile,
    Slo,
    Weight,
)
from tuner.command_options.measuring import (
    Arch,
    ArchFunction,
    ColdOnly,
    ColdSamples,
    MaxInvocations,
    MaxMemory,
    MaxSeconds,
    MaxUsd,
    MinMemory,
    PowerTuning,
    Samples,
    Sizes,
    TestRun,
    Thorough,
    Yes,
)
from tuner.command_options.places import (
    Chart,
    DryRun,
    Except,
    Export,
    Functions,
    KeepOutputs,
    Only,
    Profile,
    Region,
    Runs,
    Sandbox,
    Seed,
    Stack,
    Stage,
)
from tuner.commands.ending import end

# A function with one of these names is reached by `tune run NAME`.
VERBS = ("run", "analyze", "apply", "restore", "import", "compare", "iam", "preflight")

_EPILOG = """\
\b
Examples:
  tune --sandbox thumbnail                     try it, no account needed
  tune my-function --payload event.json        measure on AWS
  tune my-function --dry-run                   what would it do and cost?
  tune my-function --slo "p95 < 300ms"         cheapest within a limit
  tune my-function --thorough --max-usd 0.50   look closer, for 50 cents
  tune my-function --requests-per-month auto   what is it worth in a month?
  tune my-function --sizes 512,1024,2048       these, 10 samples each
  tune my-function --arch both --arch-function my-function-arm
  tune my-function --export html=report.html   a page to share
  tune my-function --chart                     drawn in the terminal
  tune my-function --apply shift=live          and give it the size, by steps
  tune fn-a fn-b --payload fn-b=b.json         one by one, with one summary
  tune --stack template.yaml --max-usd 1       all functions of a stack
  tune --power-tuning input.json               as power tuning would

\b
Other verbs, each with a --help of its own:
  tune preflight FUNCTION   what a run needs, looked at before one is made
  tune analyze RUN          answers again from the samples of a run
  tune compare RUN RUN      what changed between two runs
  tune apply RUN            gives the function the size, or takes it back
  tune restore              undoes what a killed run left
  tune iam FUNCTION         the least IAM policy
  tune import FILE          reads results of aws-lambda-power-tuning
  tune run NAME             tunes a function that is called like a verb
"""


def _tune(
    function: Functions = None,
    stack: Stack = None,
    only: Only = None,
    leave_out: Except = None,
    stage: Stage = None,
    payload: PayloadFiles = None,
    payload_json: PayloadJson = None,
    payloads: PayloadsFiles = None,
    min_memory: MinMemory = None,
    max_memory: MaxMemory = None,
    thorough: Thorough = False,
    sizes: Sizes = None,
    samples: Samples = None,
    cold_samples: ColdSamples = None,
    cold_only: ColdOnly = False,
    test_run: TestRun = False,
    discard: Discard = None,
    discard_first: DiscardFirst = None,
    allow_error: AllowError = None,
    sleep: Sleep = None,
    arch: Arch = None,
    arch_function: ArchFunction = None,
    tenant_id: TenantId = None,
    pre: Pre = None,
    post: Post = None,
    hook_timeout: HookTimeout = None,
    parallel: Parallel = None,
    power_tuning: PowerTuning = None,
    skip_trial: SkipTrial = False,
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
    chart: Chart = False,
    apply: Apply = None,
    shift_share: ShiftShare = None,
    shift_seconds: ShiftSeconds = None,
    check: Check = None,
    alarm: Alarm = None,
    keep_outputs: KeepOutputs = False,
    runs: Runs = Path("runs"),
    seed: Seed = None,
    json_output: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    version: Version = False,
) -> None:
    """Measure a Lambda function at several memory sizes and recommend one.

    After each few calls it decides where to call next, and when it knows enough: about 29 calls
    in all, 55 at most. With --sizes or --samples the plan is fixed. One call of the function as it
    is comes first: where it fails, nothing is changed.

    Publishes a version for each size that it calls, puts the function back at once, invokes the
    versions, and deletes them at the end. Traffic through an alias or a version never meets a
    test size; unqualified traffic may, for the seconds in which versions are published.
    """

    def body(console: Console) -> ExitCode:
        from tuner.apply.destination import ShiftOptions
        from tuner.options import TuneOptions
        from tuner.run import tune
        from tuner.several.asked import SeveralAsked, single

        asked = SeveralAsked(
            functions=tuple(function or ()),
            stack=stack,
            only=tuple(only or ()),
            leave_out=tuple(leave_out or ()),
            stage=stage,
            payloads=tuple(payload or ()),
            payload_files=tuple(payloads or ()),
        )
        one = SeveralAsked() if asked.is_several else asked
        name, payload_file, payloads_file = single(one)
        options = TuneOptions(
            function=name,
            payload_file=payload_file,
            payload_text=payload_json,
            sizes=sizes,
            min_memory_mb=min_memory,
            max_memory_mb=max_memory,
            samples=samples,
            thorough=thorough,
            parallel=1 if parallel is None else parallel,
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
            apply=apply,
            shift=ShiftOptions(shift_share, shift_seconds, check, tuple(alarm or ())),
            runs=runs,
            dry_run=dry_run,
            yes=yes,
            tenant_id=tenant_id,
            pre=pre,
            post=post,
            hook_timeout_s=hook_timeout,
            skip_trial=skip_trial,
            payloads_file=payloads_file,
            allow_errors=tuple(allow_error or ()),
            discard=discard,
            discard_first=discard_first,
            cold_only=cold_only,
            sleep_s=sleep,
            test_run=test_run,
            keep_outputs=keep_outputs,
            chart=chart,
        )
        if asked.is_several:
            from tuner.several.run import tune_several

            if power_tuning is not None:
                raise InputError("--power-tuning: expected one function with it")
            return tune_several(asked, options, console)
        if power_tuning is not None:
            from tuner.power_tuning.input_file import read_input_file
            from tuner.power_tuning.options_of_input import with_input

            found = read_input_file(power_tuning)
            options = with_input(options, found, parallel_given=parallel is not None)
        return tune(options, console)

    end(body, json_output=json_output, quiet=quiet, verbose=verbose)


def main() -> None:
    """The console script `tune`."""
    app = new_app()
    verb = sys.argv[1] if len(sys.argv) > 1 else ""
    if verb in VERBS:
        # Keeps the verb a word of its own, though it is the only one: each of the others would
        # cost every --help some milliseconds.
        app.callback()(_nothing)
        if verb == "run":
            app.command("run", epilog=_EPILOG, cls=GroupedCommand)(_tune)
        else:
            app.command(verb)(import_module(f"tuner.commands.{verb}").command)
    else:
        app.command(epilog=_EPILOG, cls=GroupedCommand)(_tune)
    run_app(app, "tune")


def _nothing() -> None:
    """Measure Lambda functions and recommend a memory size; see `tune --help`."""
