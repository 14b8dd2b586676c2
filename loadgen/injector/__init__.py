"""The processes that send requests. Locust comes first: it makes the standard library cooperative,
which must happen before anything else has taken hold of sockets and locks."""

import locust  # noqa: F401 # see above
