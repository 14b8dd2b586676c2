"""What environments and settings of a profile lay over it in a way of its own."""

from __future__ import annotations

from core.layers import LayerRules

PROFILE_LAYERS = LayerRules(
    what="profile",
    example="load.phases.0.rate=50",
    alternatives={
        ("target",): frozenset({"url", "api", "function_url"}),
        ("target", "api"): frozenset({"id", "name"}),
    },
    # An environment with another type of auth replaces the one of the document.
    typed=frozenset({"auth"}),
    private=frozenset({"auth", "headers", "vars"}),
)
