"""Locust's web UI, in a process of its own: what it costs is not taken from the injectors.

Locust comes first, as in injectors: it makes the standard library cooperative."""

import locust  # noqa: F401 # see above
