"""Load goes only where it is allowed, and a plan beyond a guard sends nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError, Refused
from loadgen.cost import Cost, CostRange
from loadgen.expected import Expected
from loadgen.guards import Guard, Progress, check_hosts, check_plan, host_of
from loadgen.profile.model import Guards


def guards(**values: object) -> Guards:
    return Guards.model_validate(values)


ALLOWED = {
    "loopback": "http://127.0.0.1:8080/_aws/execute-api/abc/prod",
    "another loopback address": "http://127.9.8.7/",
    "IPv6 loopback": "http://[::1]:8080/",
    "IPv6 loopback, written out": "http://[0:0:0:0:0:0:0:1]/",
    "IPv4 loopback in IPv6": "http://[::ffff:127.0.0.1]/",
    "localhost": "http://localhost:3000",
    "localhost, absolute": "http://localhost.:3000",
    "localhost, upper case": "http://LOCALHOST/",
    "REST API": "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/prod",
    "upper case": "https://A1B2.Execute-API.US-East-1.AmazonAWS.com/prod",
    "trailing dot": "https://a1b2.execute-api.us-east-1.amazonaws.com./prod",
    "with a port": "https://a1b2.execute-api.eu-central-1.amazonaws.com:443/prod",
    "GovCloud": "https://a1b2.execute-api.us-gov-west-1.amazonaws.com",
    "China": "https://a1b2.execute-api.cn-north-1.amazonaws.com.cn/prod",
    "through a VPC endpoint": "https://a1b2-vpce-0123ab.execute-api.eu-west-1.amazonaws.com",
    "function URL": "https://abcdef0123456789.lambda-url.ap-southeast-2.on.aws/",
}

REFUSED = {
    "any other host": "https://example.com/",
    "AWS name as a prefix": "https://a.execute-api.us-east-1.amazonaws.com.evil.com/",
    "no dot before the name": "https://evilexecute-api.us-east-1.amazonaws.com/",
    "name without an id": "https://execute-api.us-east-1.amazonaws.com/",
    "two labels in front": "https://x.y.execute-api.us-east-1.amazonaws.com/",
    "no region": "https://a.execute-api.amazonaws.com/",
    "something else for a region": "https://a.execute-api.evil.amazonaws.com/",
    "another service": "https://a.s3.us-east-1.amazonaws.com/",
    "China of another country": "https://a.execute-api.cn-north-1.amazonaws.com.co/",
    "function URL as a prefix": "https://a.lambda-url.us-east-1.on.aws.evil.com/",
    "punycode that looks like it": "https://a.xn--execute-api-9fg.us-east-1.amazonaws.com/",
    "short form of loopback": "http://127.1/",
    "loopback as a number": "http://2130706433/",
    "loopback as hexadecimal": "http://0x7f000001/",
    "loopback with leading zeros": "http://0127.0.0.1/",
    "all addresses": "http://0.0.0.0/",
    "all IPv6 addresses": "http://[::]/",
    "private network": "http://10.0.0.1/",
    "metadata service": "http://169.254.169.254/",
    "another IPv4 in IPv6": "http://[::ffff:10.0.0.1]/",
    "name below localhost": "http://api.localhost/",
    "name that begins like loopback": "http://127.0.0.1.evil.com/",
}

NO_URL = {
    "user and password": "http://127.0.0.1@evil.com/",
    "user before an allowed host": "https://user:pw@localhost/",
    "backslash": "http://127.0.0.1\\@evil.com/",
    "another alphabet": "https://а1.execute-api.us-east-1.amazonaws.com/",  # a Cyrillic a
    "full-width dot": "http://localhost\uff0eevil.com/",
    "Kelvin sign": "http://\u212a.example.com/",
    "space": "http://localhost evil.com/",
    "line break": "http://localhost\n.evil.com/",
    "other scheme": "ftp://localhost/",
    "no scheme": "localhost:8080",
    "no host": "http:///path",
    "no port number": "http://localhost:port/",
    "port out of range": "http://localhost:99999/",
    "open bracket": "http://[::1/",
    "zone of an address": "http://[fe80::1%25eth0]/",
    "name in brackets": "http://[localhost]/",
    "IPv4 in brackets": "http://[127.0.0.1]/",
    "empty label": "http://a..b/",
    "two dots at the end": "http://localhost../",
    "empty": "",
}


@pytest.mark.parametrize("url", ALLOWED.values(), ids=ALLOWED)
def test_allows_loopback_and_the_names_that_aws_makes(url: str) -> None:
    check_hosts(url, guards())


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED)
def test_refuses_every_other_host(url: str) -> None:
    with pytest.raises(Refused, match=r"guards: \{hosts: \["):
        check_hosts(url, guards())


@pytest.mark.parametrize("url", NO_URL.values(), ids=NO_URL)
def test_rejects_what_two_readers_could_read_in_two_ways(url: str) -> None:
    with pytest.raises(InputError, match="target URL"):
        check_hosts(url, guards(hosts=["evil.com", "*.evil.com"]))


def test_a_refusal_does_not_repeat_a_password() -> None:
    with pytest.raises(InputError) as caught:
        check_hosts("https://user:hunter2@example.com/", guards())
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "url", "fits"),
    [
        ("api.example.com", "https://api.example.com/v1", True),
        ("API.Example.com.", "https://api.example.com/v1", True),
        ("api.example.com", "https://api.example.com.:8443/", True),
        ("api.example.com", "https://api.example.org/", False),
        ("api.example.com", "https://x.api.example.com/", False),
        ("*.example.com", "https://api.example.com/", True),
        ("*.example.com", "https://a.b.example.com/", True),
        ("*.example.com", "https://example.com/", False),
        ("*.example.com", "https://evilexample.com/", False),
        ("10.0.0.7", "http://10.0.0.7:8080/", True),
        ("10.0.0.7", "http://10.0.0.70/", False),
        ("*.0.0.7", "http://10.0.0.7/", False),
        ("fd00::1", "http://[fd00:0::1]/", True),
        ("[fd00::1]", "http://[fd00::1]:80/", True),
    ],
)
def test_hosts_of_the_profile_are_names_suffixes_or_addresses(
    entry: str, url: str, *, fits: bool
) -> None:
    if fits:
        check_hosts(url, guards(hosts=[entry]))
    else:
        with pytest.raises(Refused):
            check_hosts(url, guards(hosts=[entry]))


@pytest.mark.parametrize(
    "entry", ["*", "https://x.com", "x.com:80", "a*.com", "", "x.com/a", "ex ample"]
)
def test_names_an_entry_that_is_no_host(entry: str) -> None:
    with pytest.raises(InputError, match=r"guards\.hosts"):
        check_hosts("http://localhost/", guards(hosts=[entry]))


@given(st.text(max_size=40))
def test_any_text_is_allowed_refused_or_rejected_but_never_breaks(text: str) -> None:
    for url in (text, f"http://{text}/"):
        try:
            check_hosts(url, guards())
        except (Refused, InputError):
            continue
        host = host_of(url)
        assert (
            host == "localhost"
            or host.startswith(("127.", "::"))
            or host.endswith(".amazonaws.com")
        )


def expected(requests: float | None = 1000.0, peak_rps: float = 100.0) -> Expected:
    return Expected(requests, peak_rps, (), 10.0)


FREE = CostRange(0.0, 0.0, ())


def test_a_plan_within_the_guards_goes_on() -> None:
    check_plan(expected(), guards(max_requests=1000, max_rate=100), FREE)
    check_plan(expected(requests=None), guards(), CostRange(None, None, ("unknown",)))


@pytest.mark.parametrize(
    ("plan", "limits", "cost", "said"),
    [
        (expected(requests=1001), {"max_requests": 1000}, FREE, "guards.max_requests 1,000"),
        (expected(peak_rps=101), {"max_rate": 100}, FREE, "guards.max_rate 100"),
        (expected(), {"max_cost_usd": 0.5}, CostRange(0.1, 0.6, ()), "guards.max_cost_usd $0.50"),
    ],
    ids=["requests", "rate", "cost"],
)
def test_a_plan_beyond_a_guard_is_refused_with_its_name(
    plan: Expected, limits: dict[str, object], cost: CostRange, said: str
) -> None:
    with pytest.raises(Refused) as caught:
        check_plan(plan, guards(**limits), cost)
    assert said in str(caught.value)


def progress(sent: int = 0, seconds: tuple[int, ...] = (), usd: float | None = 0.0) -> Progress:
    return Progress(sent, seconds, Cost(usd, ()))


@pytest.mark.parametrize(
    ("limits", "seen", "said"),
    [
        ({"max_requests": 100}, progress(sent=101), "guards.max_requests is 100"),
        ({"max_cost_usd": 1}, progress(usd=1.01), "guards.max_cost_usd is $1.00"),
        ({"max_rate": 100}, progress(seconds=(90, 170)), "guards.max_rate is 100"),
    ],
    ids=["requests", "cost", "rate"],
)
def test_a_run_beyond_a_guard_has_a_reason_to_stop(
    limits: dict[str, object], seen: Progress, said: str
) -> None:
    reason = Guard(guards(**limits)).reason_to_stop(seen)
    assert reason is not None
    assert said in reason


def test_a_run_within_its_guards_has_none() -> None:
    guard = Guard(guards(max_requests=100, max_rate=100, max_cost_usd=1))
    assert guard.reason_to_stop(progress(sent=100, seconds=(100, 120), usd=None)) is None
