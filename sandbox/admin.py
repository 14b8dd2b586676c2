"""What the sandbox itself is asked, below /_sandbox/: faults, enforcement, network, ...

    GET    /_sandbox/health            it answers
    GET    /_sandbox/faults            the active faults
    POST   /_sandbox/faults            adds one: {"kind": "latency", "ms": 200, "share": 0.1}, and
                                       "owner" where somebody will end just his own
    DELETE /_sandbox/faults            ends all
    DELETE /_sandbox/faults/ID         ends one
    GET    /_sandbox/enforcement       how throttles are kept
    PUT    /_sandbox/enforcement       keeps them so: {"shards": 4}, or a text: "shards=4"
    GET    /_sandbox/network           the delays between clients and APIs
    PUT    /_sandbox/network           delays requests so: {"delay_ms": 5, "jitter_ms": 10}
    DELETE /_sandbox/network           does not any more
    GET    /_sandbox/limits            every throttle and quota, with what it admitted and refused

JSON in and out. An error has `message`, and its type in the header x-amzn-ErrorType, as AWS's have.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from core.errors import InputError
from sandbox.faults import FaultSet, parse_fault
from sandbox.front import is_loopback_origin
from sandbox.gateway.limits import Enforcement, LimitLedger
from sandbox.gateway.network import Delays, Network
from sandbox.http import Handler, Request, Response
from sandbox.refusals import json_refusal
from sandbox.rest_json.strict_json import parse_json

ADMIN_PATH = "/_sandbox/"

_FAULTS = "faults"

Clock = Callable[[], float]
Answering = Callable[[Request], Response]


class AdminApplication:
    """Answers the paths below /_sandbox/, which are not signed.

    It takes all of them, so it comes after other applications that have paths there. `clock` is the
    monotonic one that the data plane gives to `faults` and `ledger`.
    """

    def __init__(
        self,
        faults: FaultSet,
        ledger: LimitLedger,
        network: Network,
        clock: Clock = time.monotonic,
    ) -> None:
        self._faults = faults
        self._ledger = ledger
        self._network = network
        self._clock = clock
        self._routes: Mapping[str, Mapping[str, Answering]] = {
            "health": {"GET": lambda _: _answer({"status": "ok"})},
            _FAULTS: {
                "GET": self._list_faults,
                "POST": self._add_fault,
                "DELETE": lambda _: _answer({"removed": self._faults.clear()}),
            },
            "enforcement": {
                "GET": lambda _: self._enforcement(),
                "PUT": self._change_enforcement,
            },
            "network": {
                "GET": lambda _: _answer(self._network.document()),
                "PUT": self._change_network,
                "DELETE": lambda _: self._delay(None),
            },
            "limits": {"GET": lambda _: _answer(self._ledger.document(self._clock()))},
        }

    def match(self, request: Request) -> Handler | None:
        """Takes the paths below /_sandbox/."""
        return self._handle if request.path.startswith(ADMIN_PATH) else None

    def _handle(self, request: Request) -> Response:
        origin = request.text_header(b"origin")
        if origin is not None and not is_loopback_origin(origin):
            return json_refusal(
                403,
                "AccessDeniedException",
                f"The sandbox answers no requests from web pages of other origins (got {origin}).",
            )
        try:
            return self._route(request)
        except InputError as error:
            return json_refusal(400, "ValidationException", str(error))

    def _route(self, request: Request) -> Response:
        name = request.path.removeprefix(ADMIN_PATH)
        methods = self._routes.get(name)
        if name.startswith(f"{_FAULTS}/"):
            methods = {"DELETE": self._remove_fault}
        if methods is None:
            return json_refusal(
                404,
                "NotFoundException",
                f"there is no {request.path} (below {ADMIN_PATH} are {', '.join(self._routes)})",
            )
        answering = methods.get(request.method)
        if answering is None:
            return _not_allowed(request, tuple(methods))
        return answering(request)

    def _list_faults(self, request: Request) -> Response:
        now_s = self._clock()
        faults = [fault.document(now_s) for fault in self._faults.active(now_s)]
        return _answer({_FAULTS: faults})

    def _add_fault(self, request: Request) -> Response:
        now_s = self._clock()
        document = _body(request)
        owner = document.pop("owner", None) if isinstance(document, dict) else None
        if not isinstance(owner, str | None):
            raise InputError(f"fault: owner: must be a text (got {owner!r})")
        fault = self._faults.add(parse_fault(document), now_s, owner)
        return _answer(fault.document(now_s), status=201)

    def _remove_fault(self, request: Request) -> Response:
        fault_id = unquote(request.path.removeprefix(f"{ADMIN_PATH}{_FAULTS}/"))
        # Those that have expired are gone for whoever asks.
        self._faults.active(self._clock())
        if not self._faults.remove(fault_id):
            return json_refusal(404, "NotFoundException", f"there is no active fault {fault_id!r}")
        return _answer({"removed": 1})

    def _enforcement(self) -> Response:
        enforcement = self._ledger.enforcement
        return _answer({"text": str(enforcement), **enforcement.model_dump()})

    def _change_enforcement(self, request: Request) -> Response:
        self._ledger.enforce(_parse_enforcement(_body(request)), self._clock())
        return self._enforcement()

    def _change_network(self, request: Request) -> Response:
        document = _body(request)
        if not isinstance(document, dict):
            raise InputError("network: must be a JSON object")
        return self._delay(Delays.from_mapping(document))

    def _delay(self, delays: Delays | None) -> Response:
        self._network.change(delays)
        return _answer(self._network.document())


def _parse_enforcement(document: object) -> Enforcement:
    if isinstance(document, str):
        return Enforcement.parse(document)
    if isinstance(document, dict):
        return Enforcement.from_mapping(document)
    raise InputError("enforcement: must be a JSON object, or a text such as 'shards=4'")


def _body(request: Request) -> object:
    try:
        return parse_json(request.body)
    except ValueError as error:
        raise InputError(f"the body is not JSON: {error}") from error


def _answer(document: object, *, status: int = 200) -> Response:
    body = json.dumps(document).encode()
    return Response(status, body, ((b"content-type", b"application/json"),))


def _not_allowed(request: Request, methods: tuple[str, ...]) -> Response:
    allowed = ", ".join(methods)
    refusal = json_refusal(
        405, "MethodNotAllowedException", f"{request.path} takes {allowed} (got {request.method})"
    )
    return Response(405, refusal.body, (*refusal.headers, (b"allow", allowed.encode())))
