"""What a profile says of a target's address and of TLS, as the wire client needs it."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import urlsplit

from gevent.ssl import SSLContext, create_default_context

from loadgen.profile.model import Http
from loadgen.wire import Origin


def origin_of(base_url: str, http: Http, base_dir: Path) -> Origin:
    """Where requests to `base_url` go.

    Raises:
        OSError: the CA file cannot be read or is none.
    """
    parts = urlsplit(base_url)
    secure = parts.scheme == "https"
    return Origin(
        parts.hostname or "",
        parts.port or (443 if secure else 80),
        tls=_context(http, base_dir) if secure else None,
        connect_timeout_s=http.timeout.connect_s,
    )


def _context(http: Http, base_dir: Path) -> SSLContext:
    # One for all connections: loading the certificates of the system takes a core's 16 ms.
    file = str(base_dir / http.ca_file) if http.ca_file else None
    context: SSLContext = create_default_context(cafile=file)
    if not http.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context
