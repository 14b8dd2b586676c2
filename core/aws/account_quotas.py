"""What Service Quotas says of API Gateway's throttle of the account.

It may print the global defaults where a Region has less ("Amazon API Gateway quotas", 2026), so
that `apigateway:GetAccount` is what counts; this is read to see whether the two differ.
"""

from __future__ import annotations

from core.aws.gateway import Throttle
from core.aws.session import AwsSession, aws_call

# "Throttle rate" and "Throttle burst" per account and Region (Amazon API Gateway quotas, 2026).
_RATE, _BURST = "L-8A5B8E43", "L-CDF5615A"


def throttle_quota(session: AwsSession) -> Throttle:
    """The throttle of the account as a quota.

    Raises:
        AwsError: it may not be read.
    """
    client = session.service_quotas()
    with aws_call("read the service quotas of API Gateway"):
        rate = client.get_service_quota(ServiceCode="apigateway", QuotaCode=_RATE)
        burst = client.get_service_quota(ServiceCode="apigateway", QuotaCode=_BURST)
    value = burst["Quota"].get("Value")
    return Throttle(rate["Quota"].get("Value"), None if value is None else int(value))
