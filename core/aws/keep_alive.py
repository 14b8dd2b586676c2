"""TCP keep-alive early enough for what lies between here and AWS.

While a function works, its connection is silent, for 15 minutes at most. A NAT gateway forgets one
after 350 s (VPC user guide), many home routers sooner, and then the answer never comes. botocore's
`tcp_keepalive` leaves it to the system when the first probe is sent: on Linux after two hours.
"""

from __future__ import annotations

import socket
from typing import Any

_FIRST_PROBE_S, _BETWEEN_PROBES_S = 45, 45

# Names of the two settings differ between systems; one that has neither keeps its own times.
_SETTINGS_S = {
    "TCP_KEEPIDLE": _FIRST_PROBE_S,  # Linux, Windows
    "TCP_KEEPALIVE": _FIRST_PROBE_S,  # macOS
    "TCP_KEEPINTVL": _BETWEEN_PROBES_S,
}


def probe_early(client: Any) -> None:
    """Has the connections of a boto3 client with `tcp_keepalive` send their first probe soon.

    botocore has no setting for it; where it keeps its socket options otherwise, nothing happens.
    """
    http_session = getattr(getattr(client, "_endpoint", None), "http_session", None)
    options = getattr(http_session, "_socket_options", None)
    if isinstance(options, list):
        options += [
            (socket.IPPROTO_TCP, getattr(socket, name), seconds)
            for name, seconds in _SETTINGS_S.items()
            if hasattr(socket, name)
        ]
