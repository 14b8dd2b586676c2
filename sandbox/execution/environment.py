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
import signal
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sandbox.execution import descriptors, faults
from sandbox.execution.contract import EarlyInit, InvokeRequest, InvokeResult, VersionSpec
from sandbox.execution.cpu import cpu_share, virtual_clock
from sandbox.execution.faults import Fault
from sandbox.execution.host import Host
from sandbox.execution.invocation_log import InvocationLog
from sandbox.execution.platform_log import Phase, PlatformLog, new_log_stream, report_of
from sandbox.execution.probe import Reading
from sandbox.execution.process import RuntimeProcess
from sandbox.execution.runtime_api import RuntimeApi, invocation_of
from sandbox.execution.runtimes import NotRunnable, launch_of, not_startable
from sandbox.execution.stretch import Stretch
from sandbox.execution.watch import INTERVAL_S


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


_LOADED_BEFORE = _Loaded()


@dataclass(slots=True)  # not frozen: that costs a microsecond for each call
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
        self._log_stream = new_log_stream(spec.version, _now())
        # Whether the runtime asked for an invocation that it has not been given, and who waits
        # until it does.
        self._has_asked = False
        self._asked: asyncio.Future[None] | None = None
        self._ask_limit_s = 0.0
        self._peak_mb = 0.0
        self._is_stopped = False
        self._is_spent = False  # its process was killed, or should be
        # What is measured now: its limit, the call it belongs to, and how it will have ended.
        self._stretch: Stretch | None = None
        self._is_loading = False
        self._limit_ms = 0.0
        self._request_id = ""
        self._outcome: asyncio.Future[bytes | Fault] | None = None
        self._prepared: _Loaded | None = None

    @property
    def usable(self) -> bool:
        """Whether the process is there to serve another call."""
        if self._is_spent or self._process is None:
            return False
        return not self._process.has_ended

    @property
    def pid(self) -> int | None:
        """The process id, once started."""
        return None if self._process is None else self._process.pid

    async def invoke(self, request: InvokeRequest) -> InvokeResult:
        """Runs one invocation; starts the process first when it is not there yet."""
        began_s = time.monotonic()
        self._request_id = request.request_id
        log = InvocationLog()
        loaded, self._prepared = self._prepared, None
        if loaded is None:
            loaded = _LOADED_BEFORE if self._process is not None else await self._load(log)
        log.add(self._log.start(request.request_id, _now()))
        if loaded.fault is not None:
            ran = _Ran(loaded.fault, loaded.carried_ms)
        else:
            ran = await self._run(request, loaded.carried_ms)
        self._take_output(log)
        return self._result(began_s, loaded, ran, log)

    async def prepare(self) -> EarlyInit:
        """Loads the function before anybody calls it; the first call reports that INIT."""
        log = InvocationLog()
        loaded = await self._load(log)
        # It takes no time of that call.
        self._prepared = replace(loaded, wall_ms=0.0)
        is_loaded = loaded.fault is None and not loaded.carried_ms
        return EarlyInit(is_loaded, log.text(), log.marks(), self._log_stream)

    async def stop(self) -> None:
        """Kills the process and all that it started; a call that is running ends as killed."""
        self._is_stopped = True
        self._stop_asking()
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
        self._has_asked = True
        self._stop_asking()
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
        """The process may have ended; if it was waiting, it waits no more."""
        if self._api is not None and not self._api.is_runtime_waiting:
            self._has_asked = False
        self._look_now()

    def on_refused(self, error: OSError) -> None:
        """The runtime cannot reach the sandbox, and waiting would not help."""
        self._is_spent = True
        reason = not_startable(error)
        if self._process is not None:
            self._process.kill()
        self._end(faults.not_started(self._request_id, reason.error_type, str(reason)))

    def look(self) -> float:
        """Ends what runs when the process is gone, too large or too late.

        Not what has hardly begun: most calls are over before there is anything to see, and the end
        of a process shows by itself. Gives the seconds that went into counting memory.
        """
        if self._stretch is not None and self._stretch.age_s < INTERVAL_S:
            return 0.0
        return self._look_now()

    def _look_now(self) -> float:
        stretch, process = self._stretch, self._process
        if process is None:
            return 0.0
        if stretch is None:
            if process.returncode() is not None or time.monotonic() > self._ask_limit_s:
                self._stop_asking()
            return 0.0
        counting_s = process.probe.counting_s
        self._check(stretch, process)
        return process.probe.counting_s - counting_s

    def _check(self, stretch: Stretch, process: RuntimeProcess) -> None:
        returncode = process.returncode() if process.has_ended else None
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

    async def _load(self, log: InvocationLog) -> _Loaded:
        """Starts the process and waits until it asks for its first invocation."""
        log.add(self._log.init_start(_now()))
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

    async def _start(self, limit_ms: float, log: InvocationLog, phase: Phase) -> _Loaded:
        start = Reading(time.monotonic_ns(), 0, 0)
        try:
            process = await self._spawn()
        except (NotRunnable, OSError) as caught:
            error = not_startable(caught) if isinstance(caught, OSError) else caught
            fault = faults.not_started(self._request_id, error.error_type, str(error))
            log.add(self._init_report(fault, 0.0, phase))
            return _Loaded(fault=fault)
        # Init is not throttled: AWS lends small sizes CPU for it.
        stretch = self._new_stretch(process, start, max(1.0, cpu_share(self.spec.memory_mb)))
        self._is_loading = True
        outcome = await self._measure(stretch, limit_ms)
        self._is_loading = False
        self._take_output(log)
        if not isinstance(outcome, Fault):
            return _Loaded(stretch.wall_ms, stretch.virtual_ms)
        spent_ms = limit_ms if outcome.status == "timeout" else stretch.virtual_ms
        log.add(self._init_report(outcome, spent_ms, phase))
        return _Loaded(stretch.wall_ms, None, spent_ms, outcome)

    def _init_report(self, fault: Fault, init_ms: float, phase: Phase) -> bytes:
        error_type = None if fault.status == "timeout" else fault.error_type
        return self._log.init_report(
            _now(), init_ms=init_ms, phase=phase, status=fault.status, error_type=error_type
        )

    async def _spawn(self) -> RuntimeProcess:
        self._has_asked = False
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
        self._log_stream = launch.log_stream
        descriptors.check_spare()
        self._process = RuntimeProcess(launch, self.spec.code_dir, self._host.reaper)
        return self._process

    # Invoke

    async def _run(self, request: InvokeRequest, carried_ms: float) -> _Ran:
        """Hands the invocation to the runtime, and its answer back when its virtual time is up."""
        timeout_ms = self.spec.timeout_s * 1000.0
        limit_ms = timeout_ms - carried_ms
        if not self._has_asked:
            await self._wait_until_asked(limit_ms)
        process, api = self._process, self._api
        if process is None or api is None:
            return _Ran(faults.exited(request.request_id, -signal.SIGKILL), carried_ms)
        if not self._has_asked:
            returncode = process.returncode()
            if returncode is not None:
                return _Ran(faults.exited(request.request_id, returncode), carried_ms)
            return _Ran(faults.timed_out(request.request_id, self.spec.timeout_s), timeout_ms)
        start = process.probe.begin() or Reading(time.monotonic_ns(), 0, 0)
        stretch = self._new_stretch(process, start, cpu_share(self.spec.memory_mb))
        self._has_asked = False
        api.deliver(invocation_of(request, self.spec, limit_ms))
        outcome = await self._measure(stretch, limit_ms)
        virtual_ms, wall_ms = stretch.virtual_ms, stretch.wall_ms
        outcome = self._overruled(outcome, is_too_late=virtual_ms > limit_ms)
        if isinstance(outcome, Fault) and outcome.status == "timeout":
            virtual_ms = limit_ms
        held_ms = await _hold(stretch.remaining_s(max(wall_ms, virtual_ms)))
        return _Ran(outcome, carried_ms + virtual_ms, wall_ms, held_ms)

    async def _wait_until_asked(self, limit_ms: float) -> None:
        """Waits until the runtime is done with the last call, has ended, or the time is over."""
        self._ask_limit_s = time.monotonic() + limit_ms / 1000
        self._asked = asyncio.get_running_loop().create_future()
        self._host.watch.add(self)
        try:
            await self._asked
        finally:
            self._host.watch.remove(self)
            self._asked = None

    def _stop_asking(self) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(None)

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
        self, began_s: float, loaded: _Loaded, ran: _Ran, log: InvocationLog
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
            is_init_billed=self.spec.initialization == "on-demand",
        )
        log.add(self._log.report(self._request_id, report, _now(), by_platform=by_platform))
        passed_ms = (time.monotonic() - began_s) * 1000
        return InvokeResult(
            payload=ran.outcome.payload if isinstance(ran.outcome, Fault) else ran.outcome,
            function_error=None if fault is None else "Unhandled",
            log=log.text(),
            report=report,
            overhead_ms=max(0.0, passed_ms - loaded.wall_ms - ran.wall_ms - ran.held_ms),
            log_stream=self._log_stream,
            log_marks=log.marks(),
        )

    def _take_output(self, log: InvocationLog) -> None:
        if self._process is None:
            return
        output = self._process.take_output()
        if output.data:
            log.add_output(output)
            log.add(self._log.logs_dropped(output.dropped_bytes, _now()))


async def _hold(time_s: float) -> float:
    """Waits, where there is something to wait for; gives how long that took, in ms."""
    if time_s <= 0:
        return 0.0
    began_s = time.monotonic()
    await asyncio.sleep(time_s)
    return (time.monotonic() - began_s) * 1000


def _now() -> datetime:
    return datetime.now(UTC)
