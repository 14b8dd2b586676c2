"""HTTP/1.1 over gevent sockets, parsed by llhttp: one request, one `Answer`, whatever happens.

Nothing is sent twice, no redirect is followed, no cookie is kept, and no response is decoded: what
the server did is in the answer, be it half a response. Connections are kept and used again, last in
first out.

Only for processes that imported locust (or gevent) first.
"""

from loadgen.wire.origin import Origin
from loadgen.wire.pool import Pool

__all__ = ["Origin", "Pool"]
