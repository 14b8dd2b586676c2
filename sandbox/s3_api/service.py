"""S3 with the bucket in the path: buckets, objects put at once, lists in pages.

What AWS has beyond that is refused by name (versions, parts, ACLs, tags, encryption by a key),
never ignored. Objects are not encrypted and permissions are not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import islice
from typing import NoReturn
from urllib.parse import parse_qsl, quote, unquote
from xml.sax.saxutils import escape

from sandbox.api_errors import ApiError
from sandbox.front import CredentialScope
from sandbox.http import Answer, Header, Request, Response, UnsentBody, header_text
from sandbox.s3_api.store import ObjectStore, StoredObject

_XML = (b"content-type", b"application/xml")
_REQUEST_ID = b"x-amz-request-id"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
# ListObjectsV2 (API reference, 2026).
_MOST_KEYS = 1000
_LIST_PARAMETERS = frozenset(
    {
        "list-type",
        "prefix",
        "max-keys",
        "continuation-token",
        "start-after",
        "encoding-type",
        "delimiter",
        "fetch-owner",
    }
)
# botocore names the operation in the query of some calls.
_IGNORED_PARAMETERS = frozenset({"x-id"})
_UNSERVED_HEADERS = (
    b"x-amz-copy-source",
    b"x-amz-server-side-encryption-customer-algorithm",
    b"x-amz-tagging",
    b"range",
    b"if-match",
)


class S3Service:
    """Answers to signed requests, errors included."""

    def __init__(self, store: ObjectStore | None = None) -> None:
        self.store = store or ObjectStore()

    def handle(self, request: Request, scope: CredentialScope) -> Answer:
        """The answer to `request`; S3 has one name space for all regions."""
        try:
            answer = self._answer(request)
        except ApiError as error:
            answer = _error(error, request)
        if request.method == "HEAD":
            answer.body = UnsentBody(len(answer.body))
        answer.id_header = _REQUEST_ID
        return answer

    def _answer(self, request: Request) -> Response:
        bucket, _, key = request.path.lstrip("/").partition("/")
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        query = {name: text for name, text in query.items() if name not in _IGNORED_PARAMETERS}
        for name in _UNSERVED_HEADERS:
            if request.header(name) is not None:
                _refuse(f"the header {name.decode()}")
        if not bucket:
            return self._all_buckets(request)
        if key:
            operations = self._of_objects()
            if query:
                _refuse(f"the parameter {min(query)} of objects")
        else:
            operations = self._of_buckets(query)
        operation = operations.get(request.method)
        if operation is None:
            _refuse(f"{request.method} of {'an object' if key else 'a bucket'}")
        return operation(unquote(bucket), unquote(key), request)

    def _of_objects(self) -> Mapping[str, Callable[[str, str, Request], Response]]:
        return {"GET": self._get, "HEAD": self._get, "PUT": self._put, "DELETE": self._delete}

    def _of_buckets(
        self, query: Mapping[str, str]
    ) -> Mapping[str, Callable[[str, str, Request], Response]]:
        unserved = set(query) - _LIST_PARAMETERS
        if unserved:
            _refuse(f"the parameter {min(unserved)} of buckets")
        return {
            "GET": lambda bucket, _key, _request: self._list(bucket, query),
            "HEAD": self._head_bucket,
            "PUT": self._create_bucket,
            "DELETE": self._delete_bucket,
        }

    def _all_buckets(self, request: Request) -> Response:
        if request.method != "GET":
            _refuse(f"{request.method} of all buckets")
        entries = "".join(
            f"<Bucket><Name>{escape(name)}</Name>"
            f"<CreationDate>{_time(bucket.created)}</CreationDate></Bucket>"
            for name, bucket in sorted(self.store.buckets.items())
        )
        return _xml("ListAllMyBucketsResult", f"<Buckets>{entries}</Buckets>")

    def _create_bucket(self, bucket: str, _key: str, _request: Request) -> Response:
        self.store.create_bucket(bucket)
        return Response(200, b"", ((b"location", header_text(f"/{bucket}")),))

    def _head_bucket(self, bucket: str, _key: str, _request: Request) -> Response:
        self.store.bucket(bucket)
        return Response(200)

    def _delete_bucket(self, bucket: str, _key: str, _request: Request) -> Response:
        self.store.delete_bucket(bucket)
        return Response(204)

    def _get(self, bucket: str, key: str, _request: Request) -> Response:
        found = self.store.get(bucket, key)
        headers: tuple[Header, ...] = (
            (b"content-type", header_text(found.content_type)),
            (b"etag", found.etag.encode()),
            (b"last-modified", format_datetime(found.modified, usegmt=True).encode()),
        )
        return Response(200, found.body, headers)

    def _put(self, bucket: str, key: str, request: Request) -> Response:
        condition = request.text_header(b"if-none-match")
        if condition not in (None, "*"):
            _refuse("an If-None-Match other than *")
        encoding = request.text_header(b"content-encoding") or ""
        if "aws-chunked" in encoding:
            _refuse("bodies in signed chunks")
        made = StoredObject(
            request.body,
            request.text_header(b"content-type") or "binary/octet-stream",
            datetime.now(UTC),
        )
        self.store.put(bucket, key, made, only_new=condition is not None)
        return Response(200, b"", ((b"etag", made.etag.encode()),))

    def _delete(self, bucket: str, key: str, _request: Request) -> Response:
        self.store.delete(bucket, key)
        return Response(204)

    def _list(self, bucket: str, query: Mapping[str, str]) -> Response:
        found = self.store.bucket(bucket)
        if query.get("list-type") != "2":
            _refuse("lists other than ListObjectsV2")
        try:
            most = min(int(query.get("max-keys", _MOST_KEYS)), _MOST_KEYS)
        except ValueError as error:
            raise ApiError("InvalidArgument", "max-keys is no number", status=400) from error
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after", "")
        page = list(islice(found.listed(prefix, delimiter, after), most + 1))
        shown, is_cut = page[:most], len(page) > most
        as_url = query.get("encoding-type") == "url"
        named: Callable[[str], str] = (lambda key: quote(key, safe="/")) if as_url else escape
        body = [
            f"<Name>{escape(bucket)}</Name><Prefix>{named(prefix)}</Prefix>",
            f"<KeyCount>{len(shown)}</KeyCount><MaxKeys>{most}</MaxKeys>",
            f"<IsTruncated>{str(is_cut).lower()}</IsTruncated>",
            "<EncodingType>url</EncodingType>" if as_url else "",
        ]
        if is_cut and shown:
            token = escape(shown[-1][0])
            body.append(f"<NextContinuationToken>{token}</NextContinuationToken>")
        body += [_entry(named(name), made) for name, made in shown]
        return _xml("ListBucketResult", "".join(body))


def _entry(name: str, made: StoredObject | None) -> str:
    """A line of a list: an object, or what the keys of several begin with."""
    if made is None:
        return f"<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"
    return (
        f"<Contents><Key>{name}</Key><LastModified>{_time(made.modified)}</LastModified>"
        f"<ETag>{escape(made.etag)}</ETag><Size>{len(made.body)}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )


def _refuse(what: str) -> NoReturn:
    raise ApiError("NotImplemented", f"the sandbox does not serve {what} of S3", status=501)


def _xml(root: str, content: str) -> Response:
    text = f'{_DECLARATION}<{root} xmlns="{_NAMESPACE}">{content}</{root}>'
    return Response(200, text.encode(), (_XML,))


def _error(error: ApiError, request: Request) -> Response:
    text = (
        f"{_DECLARATION}<Error><Code>{error.code}</Code>"
        f"<Message>{escape(error.message)}</Message><RequestId>{request.id}</RequestId></Error>"
    )
    return Response(error.status, text.encode(), (_XML,))


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"
