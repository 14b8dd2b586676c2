"""Which layer a bucket belongs to, from who shares it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.bucket.layer import NOT_TESTED, SharedTest, layer_of, shared_bucket

SHARED, OWN = SharedTest(shared=True, llr=-9.0), SharedTest(shared=False, llr=9.0)


@pytest.mark.parametrize(
    ("method", "stage", "key", "layer"),
    [
        (SHARED, SHARED, SHARED, "account"),
        (SHARED, OWN, SHARED, "stage"),
        (SHARED, SHARED, OWN, "usage_plan"),
        (SHARED, OWN, OWN, "usage_plan"),
        (OWN, OWN, SHARED, "method"),
        (OWN, OWN, OWN, "usage_plan_method"),
        (OWN, SHARED, SHARED, "unclear"),
        (NOT_TESTED, NOT_TESTED, NOT_TESTED, "unclear"),
    ],
)
def test_the_layer_follows_from_who_shares_the_bucket(
    method: SharedTest, stage: SharedTest, key: SharedTest, layer: str
) -> None:
    assert layer_of(method, stage, key).layer == layer


def test_what_is_not_tested_leaves_several_layers() -> None:
    found = layer_of(SHARED, NOT_TESTED, SHARED)
    assert (found.layer, found.candidates) == ("unclear", ("account", "stage"))


def test_two_factors_may_be_enough() -> None:
    assert layer_of(OWN, NOT_TESTED, SHARED).layer == "method"


@pytest.mark.parametrize(
    ("admitted", "base_admitted", "answer"),
    [
        pytest.param(30, 33, "own", id="all come through"),
        pytest.param(10, 33, "shared", id="refused like the base"),
        pytest.param(30, 90, "open", id="the base is hardly refused"),
        pytest.param(24, 60, "open", id="in between"),
    ],
)
def test_pulses_tell_whether_the_bucket_is_shared(
    admitted: int, base_admitted: int, answer: str
) -> None:
    found = shared_bucket(sent=30, admitted=admitted, base_sent=100, base_admitted=base_admitted)
    assert found.shared is {"own": False, "shared": True, "open": None}[answer]


@given(sent=st.integers(0, 200), share=st.floats(0, 1), base=st.integers(0, 300))
def test_more_admitted_never_speaks_for_sharing(sent: int, share: float, base: int) -> None:
    admitted = int(share * sent)
    more = min(sent, admitted + 1)

    def llr(count: int) -> float:
        return shared_bucket(sent=sent, admitted=count, base_sent=300, base_admitted=base).llr

    assert llr(more) >= llr(admitted)
