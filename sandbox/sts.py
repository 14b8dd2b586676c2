"""STS, as far as tools ask it who they are."""

from __future__ import annotations

from urllib.parse import parse_qs

from sandbox.front import CredentialScope
from sandbox.http import Request, Response
from sandbox.refusals import query_error

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_XML = ((b"content-type", b"text/xml"),)


class StsService:
    """Answers GetCallerIdentity: everybody is the root user of the sandbox's account."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id

    def handle(self, request: Request, scope: CredentialScope) -> Response:
        """The answer in the query protocol; in every region, as STS has no state here."""
        fields = parse_qs(request.query)
        fields.update(parse_qs(request.body.decode("utf-8", "replace")))
        action = fields.get("Action", [""])[0]
        if action == "GetCallerIdentity":
            return Response(200, self._identity(request.id), _XML)
        message = (
            f"the sandbox does not serve sts {action} (it serves GetCallerIdentity)"
            if action
            else "Missing Action"
        )
        code = "UnknownOperationException" if action else "MissingAction"
        return Response(501 if action else 400, query_error(code, message, request.id), _XML)

    def _identity(self, request_id: str) -> bytes:
        return (
            f'<GetCallerIdentityResponse xmlns="{_NAMESPACE}"><GetCallerIdentityResult>'
            f"<Arn>arn:aws:iam::{self._account_id}:root</Arn><UserId>{self._account_id}</UserId>"
            f"<Account>{self._account_id}</Account></GetCallerIdentityResult>"
            f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
            "</GetCallerIdentityResponse>"
        ).encode()
