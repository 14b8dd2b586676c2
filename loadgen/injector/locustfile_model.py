"""The users of an existing locustfile, under the same measurement.

They run as Locust runs them, with their own clients and wait times; each request event of theirs is
recorded. Response and service time are the same here: a closed model has no intended start, and
where Locust's clients wait, send again or follow redirects, that is in the time that they report.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import gevent
import locust
from locust.util.load_locustfile import load_locustfile

from core.errors import InputError
from core.text import one_line
from loadgen.answer import Answer
from loadgen.classify import Classifier
from loadgen.failures import Reason
from loadgen.injector.alarm import Sleeper
from loadgen.injector.locust_in_flight import InFlight
from loadgen.injector.recorder import Recorder
from loadgen.messages import NewSteps
from loadgen.outcome import Cause, Evidence, Kind, Outcome
from loadgen.profile.model import Locustfile
from loadgen.schedule import PhasePlan, UserTarget

_CHECK_FAILED = Kind(Outcome.CHECK_FAILED).code
_SECOND_NS = 1_000_000_000
# What Locust spawns in one go; more would be started in batches of a second.
_SPAWN_RATE = 100.0
_END_TIMEOUT_S = 5
# Names beyond that are counted together: locustfiles put ids into names by mistake.
_MOST_STEPS = 1_000
_OTHERS = ("", "other requests")
_MOST_ERRORS = 20  # of tasks that are told
_MOST_WORDS = 200


def load_users(spec: Locustfile, base_dir: Path) -> list[type[locust.User]]:
    """The user classes of a locustfile that `spec` names.

    Raises:
        InputError: the file cannot be run, or does not have them.
    """
    path = base_dir / spec.file
    try:
        found, _ = load_locustfile(str(path.resolve()))
    except SystemExit as error:
        raise InputError(f"locustfile {path}: it ended the process ({error.code})") from error
    except Exception as error:
        raise InputError(f"locustfile {path}: {type(error).__name__}: {error}") from error
    missing = [name for name in spec.users if name not in found]
    if missing or not found:
        wanted = missing[0] if missing else "no user class"
        known = ", ".join(sorted(found)) or "none"
        raise InputError(f"locustfile {path}: there is no user class {wanted} (there are: {known})")
    return [found[name] for name in spec.users or sorted(found)]


class LocustfileModel:
    """Runs as many of the users as the phase wants, and records their requests."""

    def __init__(
        self,
        environment: Any,
        recorder: Recorder,
        classifier: Classifier,
        *,
        phases: Sequence[PhasePlan],
        targets: Sequence[UserTarget],
        start_ns: int,
        drain_s: float,
        tell: Callable[[NewSteps], None],
    ) -> None:
        self._environment = environment
        self._recorder = recorder
        self._classifier = classifier
        self._phases = phases
        self._targets = targets
        self._start_ns = start_ns
        self._tell = tell
        self._steps: dict[tuple[str, str], int] = {}
        self._phase = 0
        self._driver: Any = None
        self._ending = False
        self._in_flight = InFlight()
        self._in_flight.watch()
        recorder.before_frame = self._look
        environment.stop_timeout = drain_s
        self._errors: set[str] = set()
        environment.events.request.add_listener(self._on_request)
        environment.events.user_error.add_listener(self._on_user_error)

    def start(self, environment: Any) -> None:
        """Begins to follow the plan of users."""
        self._driver = gevent.spawn(self._follow)

    def finished(self) -> bool:
        """Whether the plan has come to its end, and all users with it."""
        ended = self._driver is not None and self._driver.ready()
        return ended and not self._environment.runner.user_count

    def stop(self) -> None:
        """Lets each user end its task, and begins nothing more."""
        if self._driver is not None and not self._ending:
            self._driver.kill(block=True, timeout=_END_TIMEOUT_S)

    def cut(self) -> dict[str, int]:
        """Ends what still runs; the requests that have no outcome, by the number of their step."""
        self._environment.runner.user_greenlets.kill(block=True, timeout=_END_TIMEOUT_S)
        if self._driver is not None:
            # Until the runner has told the locustfile that its test has ended.
            self._driver.join(timeout=_END_TIMEOUT_S)
        cut: dict[str, int] = {}
        for (method, name), count in self._in_flight.open.items():
            if count:
                cut[str(self._step(method, name))] = count
                self._recorder.begin((perf_counter_ns(), self._phase) * count)
        return cut

    def _look(self) -> None:
        self._recorder.in_flight = self._in_flight.total

    def _follow(self) -> None:
        runner = self._environment.runner
        sleeper = Sleeper()
        try:
            sleeper.wait_until(self._start_ns)
            for target in self._targets:
                sleeper.wait_until(self._start_ns + target.at_us * 1000)
                self._phase = target.phase
                self._recorder.users = target.users
                runner.start(target.users, max(_SPAWN_RATE, float(target.users)))
            sleeper.wait_until(self._start_ns + int(self._phases[-1].to_s * _SECOND_NS))
            self._tell_of_missing(self._targets[-1].users - runner.user_count)
        finally:
            sleeper.close()
            self._recorder.users = 0
            self._ending = True
            runner.stop()

    def _on_request(
        self,
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int | None = 0,
        exception: BaseException | None = None,
        response: Any = None,
        **_: object,
    ) -> None:
        """One request of a user has ended, just now."""
        end_ns = perf_counter_ns()
        # Any code may fire this event, with anything in it: nothing ends before it begins, and
        # nothing began before the run did.
        start_ns = max(end_ns - int(_number(response_time) * 1e6), self._recorder.start_ns)
        answer = _answer_of(response, exception, start_ns, end_ns, int(_number(response_length)))
        kind = self._kind(answer, str(name), exception)
        step = self._step(str(request_type), str(name))
        self._recorder.offered(
            (start_ns - self._recorder.start_ns) // _SECOND_NS, self._phase, 1, 0
        )
        self._recorder.begin((start_ns, self._phase))
        self._recorder.add(start_ns, answer, kind, self._phase, step)
        if kind == _CHECK_FAILED and exception is not None:
            reason = Reason("the locustfile", None, one_line(str(exception)))
            self._recorder.failures.add(self._phase, step, reason)

    def _kind(self, answer: Answer, name: str, exception: BaseException | None) -> int:
        """The code of the kind; what the locustfile says of the request outranks the status.

        A throttle stays one: whoever takes 429 for a success wants to know how many there were.
        """
        if not answer.status and exception is None:
            return 0  # another protocol, whose client says that all is well
        kind = self._classifier.kind(answer, name)
        if exception is not None:
            return kind or _CHECK_FAILED
        outcome, _, evidence = Kind.of(kind)
        is_error = outcome in (Outcome.CLIENT_ERROR, Outcome.SERVER_ERROR)
        return 0 if is_error and evidence is not Evidence.RULE else kind

    def _step(self, method: str, name: str) -> int:
        step = self._steps.get((method, name))
        if step is None:
            if len(self._steps) >= _MOST_STEPS and (method, name) != _OTHERS:
                self._recorder.note(
                    f"the locustfile has more than {_MOST_STEPS:,} names of requests: later ones "
                    f"are counted as '{_OTHERS[1]}'; give requests with ids a common name"
                )
                return self._step(*_OTHERS)
            step = self._steps[method, name] = len(self._steps)
            self._tell(NewSteps(self._recorder.injector, step, [[method, name]]))
        return step

    def _on_user_error(self, exception: BaseException, **_: object) -> None:
        """A task has raised: Locust goes on, but somebody should know."""
        words = one_line(f"{type(exception).__name__}: {exception}")[:_MOST_WORDS]
        if words not in self._errors and len(self._errors) < _MOST_ERRORS:
            self._errors.add(words)
            self._recorder.note(f"a task of the locustfile raised {words}")

    def _tell_of_missing(self, users: int) -> None:
        if users > 0:
            self._recorder.note(
                f"{users} user(s) of the locustfile had ended before the schedule did"
            )


def _number(value: object) -> float:
    """A count or time of an event; 0 where it is none."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return 0.0
    return max(float(value), 0.0)


def _answer_of(
    response: Any, exception: BaseException | None, start_ns: int, end_ns: int, length: int
) -> Answer:
    """What a client of Locust gives, as an answer of the wire client."""
    status = int(getattr(response, "status_code", 0) or 0)
    cause = Cause.NONE if status else _cause_of(exception)
    headers: Any = getattr(response, "headers", None)
    head = b""
    if headers is not None and hasattr(headers, "items"):
        lines = [f"{key}: {value}\r\n" for key, value in headers.items()]
        head = f"HTTP/1.1 {status}\r\n{''.join(lines)}\r\n".encode("latin-1", "replace")
    # The body is looked at only where it may tell the cause.
    body = getattr(response, "content", b"") if status >= 400 else b""
    body = body if isinstance(body, bytes) else b""
    # When the first byte came is not known.
    return Answer(status, head, body, cause, start_ns, 0, end_ns, 0, 0, length)


def _cause_of(exception: BaseException | None) -> Cause:
    """What went wrong where no response came, by the exceptions behind each other."""
    seen: BaseException | None = exception
    for _ in range(8):
        if seen is None:
            break
        name = type(seen).__name__
        if isinstance(seen, socket.gaierror):
            return Cause.DNS
        if isinstance(seen, ConnectionRefusedError):
            return Cause.REFUSED
        if isinstance(seen, ConnectionResetError | BrokenPipeError):
            return Cause.RESET
        if isinstance(seen, TimeoutError) or "Timeout" in name:
            return Cause.CONNECT_TIMEOUT if "Connect" in name else Cause.RESPONSE_TIMEOUT
        if "SSL" in name or "Certificate" in name:
            return Cause.TLS
        seen = seen.__cause__ or seen.__context__
    return Cause.CLOSED_EARLY
