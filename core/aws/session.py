"""The only place where boto3 enters: sessions, the two kinds of clients, and AWS errors in words.

Measuring clients make one attempt, because a retried Invoke runs the function again and hides a
throttle; they wait longer than the function may take. Control clients retry, since their calls
are safe to repeat and share 15 requests a second with the whole account.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore import exceptions as aws_exceptions
from botocore.config import Config
from botocore.parsers import ResponseParserError

from core.aws.environment import same_access
from core.aws.keep_alive import probe_early
from core.aws.patience import retry_cut_answers, tell_of_delays
from core.aws.signing import SigningCredentials
from core.errors import AwsError, CredentialsError, InputError
from core.version import toolkit_version

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_service_quotas import ServiceQuotasClient

    from core.aws.cognito import CognitoClient
    from core.aws.objects import ObjectsClient
    from core.aws.s3 import S3Client
    from core.aws.stacks import StacksClient
    from core.aws.xray import TracesClient

# Beyond the function's own timeout: network, and queueing inside Lambda.
_READ_MARGIN_S = 30
_CONNECT_TIMEOUT_S = 10
_CONTROL_ATTEMPTS = 6
# Of calls that change a function for a short while: with half of all calls throttled, one in a
# thousand is given up (delays of up to 1, 2, 4, 8, 16 and then 20 s).
CHANGING_ATTEMPTS = 10
# Of calls that put it back, for which giving up is worse than waiting: about five minutes of
# refusals; what botocore spares for retries ends after a hundred throttled or 35 lost calls.
UNDOING_ATTEMPTS = 30
# S3 answers in tens of milliseconds: this many requests at once read thousands in some seconds.
OBJECTS_AT_ONCE = 16
# Somebody waits for a login, so it is given up sooner.
_LOGIN_ATTEMPTS = 3
_LOGIN_TIMEOUT_S = 20

# "user:password@" in a URL: it must not reach a file or a message.
_USER_INFO = re.compile(r"(?<=://)[^/?#\s\"']*@")

# Codes with which services say that the caller's credentials are not good.
_CREDENTIAL_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


@dataclass(frozen=True, slots=True)
class LocalAccess:
    """How to reach a local AWS that this process started.

    `host_cores` are those of the machine that its functions run on.
    """

    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    host_cores: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose credentials are used; the ARN of a session names the role and the session."""

    account: str
    arn: str


def local_session(access_key_id: str, secret_access_key: str, region: str) -> boto3.Session:
    """A session for a local AWS, which none of the user's AWS settings can reach or break."""
    no_file: Any = (None, None, os.devnull, None)
    settings: Any = {
        "profile": (None, None, None, None),
        "config_file": no_file,
        "credentials_file": no_file,
    }
    bare = botocore.session.Session(session_vars=settings)
    # A proxy that the user has for the internet must not be asked for the loopback interface.
    bare.set_default_client_config(Config(proxies={}))
    return boto3.Session(
        botocore_session=bare,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        region_name=region,
    )


class AwsSession:
    """One identity in one region, and clients for it.

    Region, profile, credentials and endpoints come from where every AWS tool takes them
    (`AWS_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL`, ...) unless given. `AWS_REGION` outranks
    `AWS_DEFAULT_REGION` and the profile, as in the AWS CLI.

    Raises:
        InputError: when the profile does not exist or no region is set.
    """

    def __init__(
        self,
        *,
        region: str | None = None,
        profile: str | None = None,
        endpoint_url: str | None = None,
        local: LocalAccess | None = None,
    ) -> None:
        self.profile = None if local else profile
        self._local = local
        self._endpoint_url = local.endpoint_url if local else endpoint_url
        try:
            if local:
                self._session = local_session(
                    local.access_key_id, local.secret_access_key, region or local.region
                )
            else:
                # boto3 itself reads AWS_DEFAULT_REGION only, which would send a run elsewhere.
                chosen = region or os.environ.get("AWS_REGION") or None
                self._session = boto3.Session(region_name=chosen, profile_name=profile)
        except aws_exceptions.ProfileNotFound as error:
            name = profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
            raise InputError(f"profile {name!r}: not found in the AWS configuration") from error
        except aws_exceptions.BotoCoreError as error:
            raise InputError(f"could not read the AWS configuration: {error}") from error
        if not self._session.region_name:
            raise InputError(
                "no AWS region is set",
                hint="give --region, or set AWS_REGION or a profile's region",
            )
        self.region: str = self._session.region_name

    def control_lambda(
        self, *, attempts: int = _CONTROL_ATTEMPTS, on_delay: Callable[[str], None] | None = None
    ) -> LambdaClient:
        """A Lambda client for control calls: several attempts, with back-off.

        `on_delay` is told of a call that takes more than a few attempts, and why.
        """
        client = self._lambda(_control_config(attempts))
        retry_cut_answers(client, attempts)
        if on_delay is not None:
            tell_of_delays(client, lambda text: on_delay(without_user_info(text)))
        return client

    def rest_apis(self) -> APIGatewayClient:
        """A client for reading REST APIs, usage plans and the account's throttle."""
        client: APIGatewayClient = self._client(
            "apigateway", "an API Gateway client", _control_config()
        )
        return client

    def http_apis(self) -> ApiGatewayV2Client:
        """A client for reading HTTP APIs."""
        client: ApiGatewayV2Client = self._client(
            "apigatewayv2", "an API Gateway client", _control_config()
        )
        return client

    def logs(self) -> CloudWatchLogsClient:
        """A client for reading log events."""
        client: CloudWatchLogsClient = self._client(
            "logs", "a CloudWatch Logs client", _control_config()
        )
        return client

    def cloudwatch(self) -> CloudWatchClient:
        """A client for reading metrics."""
        client: CloudWatchClient = self._client(
            "cloudwatch", "a CloudWatch client", _control_config()
        )
        return client

    def xray(self) -> TracesClient:
        """A client for reading traces."""
        client: TracesClient = self._client("xray", "an X-Ray client", _control_config())
        return client

    def s3(self) -> S3Client:
        """A client for reading objects; it follows a bucket to its own region."""
        client: S3Client = self._client("s3", "an S3 client", _control_config())
        return client

    def objects(self) -> ObjectsClient:
        """A client for creating, reading, listing and deleting objects, some at the same time."""
        config = _control_config().merge(Config(max_pool_connections=OBJECTS_AT_ONCE))
        client: ObjectsClient = self._client("s3", "an S3 client", config)
        return client

    def service_quotas(self) -> ServiceQuotasClient:
        """A client for reading quotas of the account."""
        client: ServiceQuotasClient = self._client(
            "service-quotas", "a Service Quotas client", _control_config()
        )
        return client

    def stacks(self) -> StacksClient:
        """A client for reading what CloudFormation has deployed."""
        client: StacksClient = self._client(
            "cloudformation", "a CloudFormation client", _control_config()
        )
        return client

    def user_pools(self) -> CognitoClient:
        """A client for logging in at Cognito user pools, which needs no AWS credentials."""
        config = Config(
            retries={"total_max_attempts": _LOGIN_ATTEMPTS, "mode": "standard"},
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=_LOGIN_TIMEOUT_S,
            user_agent_extra=_user_agent(),
        )
        client: CognitoClient = self._client("cognito-idp", "a Cognito client", config)
        return client

    def frozen_credentials(self) -> SigningCredentials:
        """The credentials as they are now, renewed by botocore where they are about to end.

        Raises:
            CredentialsError: when there are none, or they cannot be renewed.
        """
        what = "read the AWS credentials"
        try:
            with aws_call(what):
                found = self._session.get_credentials()
                if found is None:
                    raise aws_exceptions.NoCredentialsError
                frozen = found.get_frozen_credentials()
        except (RuntimeError, ValueError) as error:  # over already; unreadable answer of a tool
            raise CredentialsError(f"could not {what}: {error}") from error
        if not frozen.access_key or not frozen.secret_key:
            raise CredentialsError(f"could not {what}: access key or secret key is missing")
        # botocore has no public name for it; the AWS CLI's export-credentials reads the same one.
        expiry = getattr(found, "_expiry_time", None)
        return SigningCredentials(
            frozen.access_key, frozen.secret_key, frozen.token, expiry and expiry.timestamp()
        )

    def measuring_lambda(self, *, function_timeout_s: float, concurrency: int) -> LambdaClient:
        """A Lambda client for measured invocations.

        One attempt, a read timeout beyond `function_timeout_s`, TCP keep-alive against NATs that
        forget silent connections, and a pool as wide as `concurrency`.
        """
        client = self._lambda(
            Config(
                retries={"total_max_attempts": 1, "mode": "standard"},
                connect_timeout=_CONNECT_TIMEOUT_S,
                read_timeout=function_timeout_s + _READ_MARGIN_S,
                tcp_keepalive=True,
                max_pool_connections=max(1, concurrency),
                user_agent_extra=_user_agent(),
            )
        )
        probe_early(client)
        return client

    def hook_lambda(self, *, timeout_s: float, concurrency: int) -> LambdaClient:
        """A Lambda client for calls that are not measured: one attempt, which takes `timeout_s`."""
        return self._lambda(
            Config(
                retries={"total_max_attempts": 1, "mode": "standard"},
                connect_timeout=min(_CONNECT_TIMEOUT_S, timeout_s),
                read_timeout=timeout_s,
                tcp_keepalive=True,
                max_pool_connections=max(1, concurrency),
                user_agent_extra=_user_agent(),
            )
        )

    def environment_for_programs(self, environment: Mapping[str, str]) -> dict[str, str]:
        """`environment`, in which AWS tools reach the same account and region as this session."""
        return same_access(environment, region=self.region, profile=self.profile, local=self._local)

    def _lambda(self, config: Config) -> LambdaClient:
        client: LambdaClient = self._client("lambda", "a Lambda client", config)
        return client

    def _client(self, service: str, what: str, config: Config) -> Any:
        session: Any = self._session
        with self._making(what):
            client = session.client(
                service, region_name=self.region, endpoint_url=self._endpoint_url, config=config
            )
            # boto3 looks at the port only when it calls, and then with a bare ValueError.
            _ = urlsplit(client.meta.endpoint_url).port
        return client

    @contextmanager
    def _making(self, what: str) -> Iterator[None]:
        try:
            with aws_call(f"make {what}"):
                yield
        except ValueError as error:
            raise InputError(
                f"the endpoint URL is not valid: {without_user_info(str(error))}",
                hint="check AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE> and the profile",
            ) from error

    @staticmethod
    def custom_endpoint(client: LambdaClient | APIGatewayClient) -> str | None:
        """Where the client's calls go, when that is not AWS's own address; without a password."""
        url = client.meta.endpoint_url
        host = urlsplit(url).hostname or ""
        own = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
        return None if host.endswith(own) else without_user_info(url)

    def caller(self) -> Caller:
        """Whose credentials these are.

        Raises:
            CredentialsError: when there are none, or AWS does not accept them.
            AwsError: when STS does not answer.
        """
        what = "ask STS for the identity"
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=5)
        try:
            with aws_call(what):
                client = self._session.client(
                    "sts", region_name=self.region, endpoint_url=self._endpoint_url, config=config
                )
                answer = client.get_caller_identity()
            return Caller(answer["Account"], answer["Arn"])
        except (ResponseParserError, KeyError, ValueError, InputError) as error:
            raise AwsError(f"could not {what}: {error}") from error

    def account_id(self) -> str | None:
        """The account of the caller, or None where STS does not answer: nothing depends on it."""
        try:
            return self.caller().account
        except AwsError:
            return None


def _control_config(attempts: int = _CONTROL_ATTEMPTS) -> Config:
    return Config(
        retries={"total_max_attempts": attempts, "mode": "standard"},
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=60,
        user_agent_extra=_user_agent(),
    )


def _user_agent() -> str:
    return f"lambda-perf-toolkit/{toolkit_version()}"


def without_user_info(text: str) -> str:
    """`text` without the user names and passwords of the URLs in it."""
    return _USER_INFO.sub("", text)


def error_code(error: aws_exceptions.ClientError) -> str:
    """The AWS name of a client error, such as ``ResourceNotFoundException``."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


@contextmanager
def aws_call(what: str) -> Iterator[None]:
    """Turns what boto3 raises inside into an `AwsError` that says which step it stopped.

    Raises:
        CredentialsError: when there are none, or AWS does not accept them.
        InputError: when the configuration of region or endpoint is wrong.
        AwsError: for every other refusal; `code` is AWS's name for it.
    """
    try:
        yield
    except aws_exceptions.ClientError as error:
        raise _from_client_error(what, error) from error
    except (
        aws_exceptions.NoCredentialsError,
        aws_exceptions.PartialCredentialsError,
        aws_exceptions.CredentialRetrievalError,
        aws_exceptions.TokenRetrievalError,
        aws_exceptions.SSOTokenLoadError,
        aws_exceptions.UnauthorizedSSOTokenError,
    ) as error:
        raise CredentialsError(
            f"could not {what}: {error}",
            hint="set AWS_PROFILE or AWS_ACCESS_KEY_ID, or try without an account: --sandbox",
        ) from error
    except (
        aws_exceptions.NoRegionError,
        aws_exceptions.InvalidRegionError,
        aws_exceptions.InvalidEndpointConfigurationError,
        aws_exceptions.InvalidEndpointDiscoveryConfigurationError,
        aws_exceptions.ParamValidationError,
    ) as error:
        raise InputError(f"could not {what}: {without_user_info(str(error))}") from error
    except (
        aws_exceptions.BotoCoreError,
        aws_exceptions.HTTPClientError,
        ResponseParserError,
    ) as error:
        raise AwsError(f"could not {what}: {without_user_info(str(error))}") from error


def _from_client_error(what: str, error: aws_exceptions.ClientError) -> AwsError:
    code = error_code(error)
    message = str(error.response.get("Error", {}).get("Message", ""))
    kind = CredentialsError if code in _CREDENTIAL_CODES else AwsError
    return kind(f"could not {what}: {code}: {message}", code=code)
