"""`loadgen`: will drive API Gateway with Locust; this version has no commands yet."""

from __future__ import annotations

from core.command_line import Version, new_app, run_app

app = new_app()


@app.callback()
def loadgen(version: Version = False) -> None:
    """Load-test the API in front of a Lambda function.

    This version of the toolkit tunes functions; it cannot generate load yet.
    """


def main() -> None:
    """The console script `loadgen`."""
    run_app(app, "loadgen")
