"""One execution environment: a runtime in a process of its own, serving one call at a time.

A cold start is a real start of the process, until it asks for its first invocation. What follows
AWS, and where it is simpler:

- Init has 10 s. A longer one is started over within the function's timeout and then counts into
  Duration, as on AWS.
- A function that does not load is tried once, not twice; the time shows as Duration.
- After an exit, a kill or a timeout the environment is gone. The next call starts another one and
  reports Init Duration, where AWS hides such a "suppressed" init in Duration.
- A process is not frozen between calls.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sandbox.execution import descriptors, faults
from sandbox.execution.contract import InvokeRequest, InvokeResult, VersionSpec
from sandbox.execution.cpu import cpu_share, virtual_clock
from sandbox.execution.faults import Fault
from sandbox.execution.host import Host
from sandbox.execution.platform_log import Phase, PlatformLog, report_of
from sandbox.execution.probe import Reading
from sandbox.execution.process import RuntimeProcess
from sandbox.execution.runtime_api import Invocation, RuntimeApi
from sandbox.execution.runtimes import NotRunnable, launch_of
from sandbox.execution.stretch import Stretch

_NEXT_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class _Loaded:
    """How loading the function went, in milliseconds.

    `init_ms` is what is reported as Init Duration; `carried_ms` is what an Init that had to be
    repeated adds to Duration; `wall_ms` really passed.
    """

    wall_ms: float = 0.0
    init_ms: float | None = None
    carried_ms: float = 0.0
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class _Ran:
    """How an invocation ended: with a payload or a fault, after `duration_ms` of virtual time."""

    outcome: bytes | Fault
    duration_ms: float
    wall_ms: float = 0.0
    held_ms: float = 0.0


class ProcessEnvironment:
    """An environment for one version; the first call starts its process."""

    def __init__(self, spec: VersionSpec, host: Host) -> None:
        self.spec = spec
        self._host = host
        self._log = PlatformLog(spec)
        self._api: RuntimeApi | None = None
        self._process: RuntimeProcess | None = None
        self._asked_for_next = asyncio.Event()
        self._peak_mb = 0.0
        self._is_stopped = False
        self._is_spent = False  # its process was killed, or should be
        # What is measured now: its limit, the call it belongs to, and how it will have ended.
        self._stretch: Stretch | None = None
        self._is_loading = False
        self._limit_ms = 0.0
        self._request_id = ""
        self._outcome: asyncio.Future[bytes | Fault] | None = None

    @property
    def usable(self) -> bool:
        """Whether the process is there to serve another call."""
        if self._is_spent or self._process is None:
            return False
        return self._process.returncode() is None

    @property
    def pid(self) -> int | None:
        """The process id, once started."""
        return None if self._process is None else self._process.pid

    async def invoke(self, request: InvokeRequest) -> InvokeResult:
        """Runs one invocation; starts the process first when it is not there yet."""
        began_s = time.monotonic()
        self._request_id = request.request_id
        log: list[bytes] = []
        loaded = _Loaded() if self._process is not None else await self._load(log)
        log.append(self._log.start(request.request_id, _now()))
        if loaded.fault is not None:
            ran = _Ran(loaded.fault, loaded.carried_ms)
        else:
            ran = await self._run(request, loaded.carried_ms)
        log.append(self._take_output())
        result = self._result(request.request_id, loaded, ran, log)
        passed_ms = (time.monotonic() - began_s) * 1000
        overhead_ms = max(0.0, passed_ms - loaded.wall_ms - ran.wall_ms - ran.held_ms)
        return replace(result, overhead_ms=overhead_ms)

    async def stop(self) -> None:
        """Kills the process and all that it started; a call that is running ends as killed."""
        self._is_stopped = True
        self._end(faults.exited(self._request_id, -signal.SIGKILL))
        await self._discard_process()

    async def _discard_process(self) -> None:
        process, self._process = self._process, None
        api, self._api = self._api, None
        if api is not None:
            api.close()
        if process is not None:
            await process.stop()
        # Closed connections are told so by the loop; it may be about to end.
        await asyncio.sleep(0)

    # What the runtime does

    def on_next(self) -> None:
        """The runtime waits: the end of Init, or of the work after an answer."""
        self._asked_for_next.set()
        if self._is_loading:
            self._end(b"")

    def on_response(self, request_id: str, body: bytes) -> None:
        """The handler returned."""
        if request_id == self._request_id:
            too_large = len(body) > faults.MAX_RESPONSE_BYTES
            self._end(faults.response_too_large(len(body)) if too_large else body)

    def on_error(self, request_id: str, body: bytes, error_type: str | None) -> None:
        """The handler raised."""
        if request_id == self._request_id:
            self._end(faults.raised(body, error_type))

    def on_init_error(self, body: bytes, error_type: str | None) -> None:
        """The function did not load."""
        if self._is_loading:
            self._end(faults.not_loaded(body, error_type))

    def on_disconnect(self) -> None:
        """The process may have ended."""
        self.look()

    def on_refused(self, error: OSError) -> None:
        """The runtime cannot reach the sandbox, and waiting would not help."""
        self._is_spent = True
        reason = _not_startable(error)
        if self._process is not None:
            self._process.kill()
        self._end(faults.not_started(self._request_id, reason.error_type, str(reason)))

    def look(self) -> float:
        """Ends what runs when the process is gone, too large or too late.

        Gives the seconds that went into counting memory.
        """
        stretch, process = self._stretch, self._process
        if stretch is None or process is None:
            return 0.0
        counting_s = process.probe.counting_s
        self._check(stretch, process)
        return process.probe.counting_s - counting_s

    def _check(self, stretch: Stretch, process: RuntimeProcess) -> None:
        returncode = process.returncode()
        if returncode is not None:
            self._end(faults.exited(self._request_id, returncode))
            return
        stretch.advance()
        resident_mb = process.probe.resident_mb(self._peak_mb, self.spec.memory_mb)
        self._peak_mb = max(self._peak_mb, resident_mb)
        is_late = max(stretch.virtual_ms, stretch.wall_ms) >= self._limit_ms
        if is_late:
            self._note_peak(process)
        if self._peak_mb > self.spec.memory_mb:
            process.kill()
            self._end(faults.out_of_memory(self._request_id))
        elif is_late:
            process.kill()
            self._end(faults.timed_out(self._request_id, self.spec.timeout_s))

    def _note_peak(self, process: RuntimeProcess) -> None:
        """Between two looks the process may have been larger than at either."""
        self._peak_mb = max(self._peak_mb, process.probe.peak_resident_mb())

    def _end(self, outcome: bytes | Fault) -> None:
        if self._outcome is None or self._outcome.done() or self._stretch is None:
            return
        self._stretch.advance()
        self._outcome.set_result(outcome)

    # Init

    async def _load(self, log: list[bytes]) -> _Loaded:
        """Starts the process and waits until it asks for its first invocation."""
        log.append(self._log.init_start(_now()))
        limit_ms = self._host.init_limit_s * 1000
        first = await self._start(limit_ms, log, "init")
        if first.fault is None or first.fault.status != "timeout":
            return first
        await self._discard_process()
        again = await self._start(self.spec.timeout_s * 1000.0, log, "invoke")
        return replace(
            again,
            wall_ms=first.wall_ms + again.wall_ms,
            init_ms=None,
            carried_ms=again.init_ms or again.carried_ms,
        )

    async def _start(self, limit_ms: float, log: list[bytes], phase: Phase) -> _Loaded:
        start = Reading(time.monotonic_ns(), 0, 0)
        try:
            process = await self._spawn()
        except (NotRunnable, OSError) as caught:
            error = _not_startable(caught) if isinstance(caught, OSError) else caught
            fault = faults.not_started(self._request_id, error.error_type, str(error))
            log.append(self._init_report(fault, 0.0, phase))
            return _Loaded(fault=fault)
        # Init is not throttled: AWS lends small sizes CPU for it.
        stretch = self._new_stretch(process, start, max(1.0, cpu_share(self.spec.memory_mb)))
        self._is_loading = True
        outcome = await self._measure(stretch, limit_ms)
        self._is_loading = False
        log.append(self._take_output())
        if not isinstance(outcome, Fault):
            return _Loaded(stretch.wall_ms, stretch.virtual_ms)
        spent_ms = limit_ms if outcome.status == "timeout" else stretch.virtual_ms
        log.append(self._init_report(outcome, spent_ms, phase))
        return _Loaded(stretch.wall_ms, None, spent_ms, outcome)

    def _init_report(self, fault: Fault, init_ms: float, phase: Phase) -> bytes:
        error_type = None if fault.status == "timeout" else fault.error_type
        return self._log.init_report(
            _now(), init_ms=init_ms, phase=phase, status=fault.status, error_type=error_type
        )

    async def _spawn(self) -> RuntimeProcess:
        self._asked_for_next.clear()
        api = self._api = RuntimeApi(self)
        address = await api.start()
        if self._is_stopped:
            api.close()
            raise NotRunnable(faults.EXIT_ERROR, "the sandbox stopped the environment")
        launch = launch_of(
            self.spec,
            runtime_api=address,
            aws_environment=self._host.aws_environment,
            native_client=self._host.native_client,
            now=_now(),
        )
        descriptors.check_spare()
        self._process = RuntimeProcess(launch, self.spec.code_dir, self._host.reaper)
        return self._process

    # Invoke

    async def _run(self, request: InvokeRequest, carried_ms: float) -> _Ran:
        """Hands the invocation to the runtime, and its answer back when its virtual time is up."""
        timeout_ms = self.spec.timeout_s * 1000.0
        limit_ms = timeout_ms - carried_ms
        returncode = await self._wait_until_asked(limit_ms)
        process, api = self._process, self._api
        if process is None or api is None or returncode is not None:
            return _Ran(faults.exited(request.request_id, returncode or 0), carried_ms)
        if not api.is_runtime_waiting:
            return _Ran(faults.timed_out(request.request_id, self.spec.timeout_s), timeout_ms)
        start = process.probe.read() or Reading(time.monotonic_ns(), 0, 0)
        stretch = self._new_stretch(process, start, cpu_share(self.spec.memory_mb))
        self._asked_for_next.clear()
        api.deliver(_invocation(request, self.spec, limit_ms))
        outcome = await self._measure(stretch, limit_ms)
        outcome = self._overruled(outcome, is_too_late=stretch.virtual_ms > limit_ms)
        is_timeout = isinstance(outcome, Fault) and outcome.status == "timeout"
        virtual_ms = limit_ms if is_timeout else stretch.virtual_ms
        hold_s = stretch.remaining_s(max(stretch.wall_ms, virtual_ms))
        held_from_s = time.monotonic()
        if hold_s > 0:
            await asyncio.sleep(hold_s)
        held_ms = (time.monotonic() - held_from_s) * 1000
        return _Ran(outcome, carried_ms + virtual_ms, stretch.wall_ms, held_ms)

    async def _wait_until_asked(self, limit_ms: float) -> int | None:
        """Waits until the runtime is done with the last call; gives its return code if it ended."""
        deadline_s = time.monotonic() + limit_ms / 1000
        while not self._asked_for_next.is_set():
            if self._process is None:
                return -signal.SIGKILL
            if (returncode := self._process.returncode()) is not None:
                return returncode
            if time.monotonic() > deadline_s:
                return None
            with suppress(TimeoutError):
                async with asyncio.timeout(_NEXT_POLL_S):
                    await self._asked_for_next.wait()
        return None

    def _overruled(self, outcome: bytes | Fault, *, is_too_late: bool) -> bytes | Fault:
        """What the sandbox knows better than the runtime, which answered at full speed."""
        if isinstance(outcome, Fault) and outcome.by_platform:
            return outcome
        if self._process is not None:
            self._note_peak(self._process)
        if self._peak_mb > self.spec.memory_mb:
            return faults.out_of_memory(self._request_id)
        if is_too_late:
            return faults.timed_out(self._request_id, self.spec.timeout_s)
        return outcome

    def _new_stretch(self, process: RuntimeProcess, start: Reading, share: float) -> Stretch:
        clock = virtual_clock(self._host.cpu_model, share, self._host.cores)
        return Stretch(process.probe, clock, start)

    async def _measure(self, stretch: Stretch, limit_ms: float) -> bytes | Fault:
        self._stretch, self._limit_ms = stretch, limit_ms
        self._outcome = asyncio.get_running_loop().create_future()
        self._host.watch.add(self)
        try:
            return await self._outcome
        finally:
            self._host.watch.remove(self)
            self._stretch = self._outcome = None

    def _result(
        self, request_id: str, loaded: _Loaded, ran: _Ran, log: list[bytes]
    ) -> InvokeResult:
        fault = ran.outcome if isinstance(ran.outcome, Fault) else None
        if fault is not None and fault.error_type == faults.OUT_OF_MEMORY:
            self._peak_mb = self.spec.memory_mb
        by_platform = fault is not None and fault.by_platform
        self._is_spent |= by_platform
        report = report_of(
            duration_ms=ran.duration_ms,
            init_ms=loaded.init_ms,
            max_memory_used_mb=self._peak_mb,
            memory_mb=self.spec.memory_mb,
            fault=fault,
        )
        log.append(self._log.report(request_id, report, _now(), by_platform=by_platform))
        return InvokeResult(
            payload=ran.outcome.payload if isinstance(ran.outcome, Fault) else ran.outcome,
            function_error=None if fault is None else "Unhandled",
            log=b"".join(log),
            report=report,
        )

    def _take_output(self) -> bytes:
        if self._process is None:
            return b""
        output = self._process.take_output()
        # The platform's next line begins a line, whatever the handler printed last.
        end = b"" if output.data.endswith(b"\n") or not output.data else b"\n"
        return output.data + end + self._log.logs_dropped(output.dropped_bytes, _now())


def _invocation(request: InvokeRequest, spec: VersionSpec, limit_ms: float) -> Invocation:
    now_s = time.time()
    trace_id = f"Root=1-{int(now_s):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)}"
    return Invocation(
        request_id=request.request_id,
        payload=request.payload,
        deadline_ms=int(now_s * 1000 + limit_ms),
        invoked_arn=request.invoked_arn or spec.function_arn,
        trace_id=f"{trace_id};Sampled=0",
        client_context=request.client_context,
    )


def _not_startable(error: OSError) -> NotRunnable:
    if descriptors.are_used_up(error):
        return NotRunnable(
            "Sandbox.TooManyOpenFiles",
            f"the sandbox has too few file descriptors for another environment ({error}): "
            "raise the limit with `ulimit -n`, or send fewer calls at a time",
        )
    return NotRunnable("Sandbox.NotStarted", f"could not start an environment: {error}")


def _now() -> datetime:
    return datetime.now(UTC)
