"""A step's child that measures nothing: `python -S fake_step.py TEMPLATE RUNS JSON`.

Writes the document in TEMPLATE with another run id and what JSON says into a folder of its own, as
`tune` and `loadgen run` do, and ends with its exit code. It needs the standard library only, so
that a test may start many.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

EXIT_CODES = {"pass": 0, "failed": 3, "inconclusive": 4, "invalid": 5, "refused": 6}


def main(template: str, runs: str, said: str) -> int:
    how = json.loads(said)
    stopped: list[int] = []
    if how.get("deaf"):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    else:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, frame: stopped.append(number))
    name = how.get("name", "step")
    if how.get("refuse"):
        json.dump({"kind": "error", "exit_code": 2, "errors": [how["refuse"]]}, sys.stdout)
        return 2
    if how.get("crash"):
        sys.exit("Traceback: it broke")
    folder = Path(runs) / f"{time.time_ns()}-load-{name}"
    folder.mkdir(parents=True)
    sys.stderr.write(f"{name} begins\n")
    if how.get("began"):
        Path(how["began"]).write_text(str(os.getpid()))
    until = time.monotonic() + how.get("seconds", 0.0)
    while time.monotonic() < until and (not stopped or how.get("deaf")):
        time.sleep(0.01)
    document = json.loads(Path(template).read_bytes())
    verdict = "interrupted" if stopped else how.get("verdict", "pass")
    code = 128 + stopped[0] if stopped else EXIT_CODES[verdict]
    document |= {"verdict": verdict, "exit_code": code}
    document["provenance"]["run_id"] = f"{time.time_ns():x}"[-12:]
    document["spent"]["usd"] = how.get("usd", 0.01)
    text = json.dumps(document)
    (folder / ".result").write_text(text)
    (folder / ".result").rename(folder / "result.json")
    sys.stdout.write(text)
    sys.stdout.flush()
    if how.get("log"):
        with Path(how["log"]).open("a") as log:
            log.write(f"{name} {how.get('role', 'night')} {how.get('seed')} {verdict}\n")
    if how.get("die"):
        os.kill(os.getpid(), signal.SIGKILL)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
