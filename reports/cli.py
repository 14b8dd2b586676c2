"""`reports`: pages, files and charts from the documents that runs left behind.

Heavy imports wait inside the commands, because `--help` must not.
"""

from __future__ import annotations

from core.command_line import Version, new_app, run_app
from reports.commands import build, chart, compare, doctor, explain, history, nightly, schema

app = new_app()


@app.callback()
def reports(version: Version = False) -> None:
    """Make pages, files and charts from the results of runs, and explain their words."""


app.command("build", epilog=build.EPILOG)(build.command)
app.command("chart", epilog=chart.EPILOG)(chart.command)
app.command("compare", epilog=compare.EPILOG)(compare.command)
app.command("doctor", epilog=doctor.EPILOG)(doctor.command)
app.command("explain", epilog=explain.EPILOG)(explain.command)
app.add_typer(history.app, name="history")
app.command("nightly", epilog=nightly.EPILOG)(nightly.command)
app.command("schema", epilog=schema.EPILOG)(schema.command)


def main() -> None:
    """The console script `reports`."""
    run_app(app, "reports")
