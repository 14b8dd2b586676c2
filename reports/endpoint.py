"""Where the figures of a run come from: AWS, this machine, or something in between."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(endpoint: str) -> bool:
    """Whether a URL points at this machine, where only a sandbox can answer."""
    try:
        host = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}").hostname or ""
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def custom_endpoint(endpoint: str) -> str:
    """What to say of an endpoint that is neither AWS nor this machine."""
    return f"Measured through the custom endpoint {endpoint}, which may not be AWS itself."
