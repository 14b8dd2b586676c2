"""`reports schema`: what plans can say, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.command_line import Quiet, Verbose
from core.console import Console
from core.errors import ExitCode
from reports.commands.ending import end

EPILOG = """\
\b
Example, for editors with the YAML language server:
  reports schema -o nightly.schema.json
  and in the first line of a plan: # yaml-language-server: $schema=nightly.schema.json
"""


def command(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Instead of stdout.")
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write the JSON Schema of nightly plans, with which editors complete and check them."""

    def body(console: Console) -> ExitCode:
        import json

        from reports.atomic_file import write_atomically
        from reports.nightly.plan_schema import plan_schema

        text = json.dumps(plan_schema(), indent=2) + "\n"
        if output is None:
            console.document(text)
        else:
            write_atomically(output, text)
            console.say(f"written: {output}")
        return ExitCode.PASS

    end(body, json_output=False, quiet=quiet, verbose=verbose)
