"""The limits of the path as they are configured, beside what the probe found.

Only the layer that binds is measured. Of the others the probe shows what they let through, which is
a bound. More than a configured limit allows is a disagreement wherever it is seen; less of a limit
that is no plain bucket may have other reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.aws.gateway import Throttle
from loadgen.bucket.agreement import admitted_over, disagrees
from loadgen.bucket.bounds import least_burst
from loadgen.bucket.finding import BucketFinding
from loadgen.bucket.layer import LayerFinding
from loadgen.bucket.observation import Observation
from loadgen.limits import Bucket, StepLimits
from loadgen.probe.refuser import INSIDE, Refuser
from loadgen.probe.seen import Comparison
from reports.figures import listed, significant
from reports.limits_document import Answer, BindingLayer, FactorTest, LayerComparison
from reports.load_words import plain

_OVER_SHARE = 0.15  # as for the layer that binds
_ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Configured:
    """What is configured on the path; `unknown` says why some of it could not be read.

    `quota` is the account's throttle as Service Quotas has it, None where that is not known.
    """

    path: StepLimits | None
    unknown: tuple[str, ...] = ()
    quota: Throttle | None = None

    @property
    def buckets(self) -> tuple[Bucket, ...]:
        """The throttles of the path, the innermost first."""
        return () if self.path is None else self.path.buckets

    @property
    def complete(self) -> bool:
        """Whether every throttle of the path is known."""
        return self.path is not None and self.path.complete


def layer_name(bucket: Bucket) -> str:
    """The layer of a bucket as documents have it."""
    return bucket.layer.name.lower()


def binding_layer(
    seen: LayerFinding,
    tests: Sequence[Comparison],
    finding: BucketFinding,
    observation: Observation,
    configured: Configured,
    refuser: Refuser | None = "gateway",
) -> BindingLayer:
    """Whose limit it is.

    By what the refusals say, by who shares it, and where that leaves several by what is configured.
    """
    factors = [_factor_test(one) for one in tests]
    if refuser in INSIDE and refuser is not None:
        return BindingLayer(layer=refuser, candidates=[refuser], evidence="answers", tests=factors)
    if refuser == "several":
        return BindingLayer(layer="unclear", evidence="none", tests=factors)
    if seen.layer != "unclear" and refuser != "unknown":
        return BindingLayer(
            layer=seen.layer, candidates=[seen.layer], evidence="behaviour", tests=factors
        )
    candidates: list[str] = list(seen.candidates)
    if refuser == "unknown" or configured.path is None:
        candidates.append("application")
    agreeing = [
        layer_name(bucket)
        for bucket in configured.buckets
        if layer_name(bucket) in candidates
        and disagrees(bucket.rate_rps, bucket.burst, finding, observation).answer == "agrees"
    ]
    if len(set(agreeing)) == 1 and configured.complete:
        return BindingLayer(
            layer=agreeing[0], candidates=candidates, evidence="configuration", tests=factors
        )
    return BindingLayer(layer="unclear", candidates=candidates, evidence="none", tests=factors)


def _factor_test(one: Comparison) -> FactorTest:
    test = one.test
    return FactorTest(
        factor=one.factor,
        scenario=one.other.name,
        sent=one.sent,
        admitted=one.admitted,
        base_sent=one.base_sent,
        base_admitted=one.base_admitted,
        llr=test.llr,
        shared=test.shared,
    )


def compared(
    binding: BindingLayer,
    finding: BucketFinding,
    observation: Observation,
    configured: Configured,
) -> list[LayerComparison]:
    """One entry for each limit of the path, and one for a layer that binds without being known."""
    found = [_entry(bucket, binding, finding, observation) for bucket in configured.buckets]
    found += list(_missing(binding, finding, configured))
    return found


def _entry(
    bucket: Bucket, binding: BindingLayer, finding: BucketFinding, observation: Observation
) -> LayerComparison:
    layer = layer_name(bucket)
    binds = layer == binding.layer
    if binds or (binding.layer == "unclear" and layer in binding.candidates):
        agreement = disagrees(bucket.rate_rps, bucket.burst, finding, observation)
        answer, why = agreement.answer, agreement.why
        if answer == "disagrees" and not binds:
            # It may be another layer that binds.
            over = admitted_over(observation, bucket.rate_rps, bucket.burst) > _OVER_SHARE
            answer = "disagrees" if over else "unknown"
            why = why if over else "not what binds, or not as configured"
    else:
        answer, why = _of_another(bucket, finding, observation)
    return LayerComparison(
        layer=layer,
        name=bucket.name,
        binds=binds,
        rate_rps=bucket.rate_rps,
        burst=bucket.burst,
        answer=answer,
        why=why,
    )


def _of_another(
    bucket: Bucket, finding: BucketFinding, observation: Observation
) -> tuple[Answer, str]:
    over = admitted_over(observation, bucket.rate_rps, bucket.burst)
    if over > _OVER_SHARE:
        return "disagrees", f"{over:.0%} more was admitted than it allows"
    if finding.kind == "no_refusal" and observation.refused:
        return "unknown", "cannot tell: too little was refused"
    said = "did not refuse" if finding.kind == "no_refusal" else "does not bind here"
    return "unknown", f"{said}: {lets_through(finding, observation)}"


def lets_through(finding: BucketFinding, observation: Observation) -> str:
    """What every layer of the path let through, which bounds those that do not bind."""
    times = observation.send_s[observation.admitted]
    rate = finding.rate_rps
    rps = max((phase.admitted_rps for phase in observation.phases), default=0.0)
    rps = rps if rate is None or rate.low <= 0 else rate.low
    burst = least_burst(times[times.argsort()], rps)
    return f"lets {significant(rps)}/s and bursts of {burst:,.0f} through"


def _missing(
    binding: BindingLayer, finding: BucketFinding, configured: Configured
) -> Iterator[LayerComparison]:
    """The layer that binds, where nothing is configured there, or nobody knows what is."""
    layers = {layer_name(bucket) for bucket in configured.buckets}
    if finding.kind == "no_refusal" or binding.layer in layers or binding.layer in INSIDE:
        return
    if binding.layer == "unclear" and layers & set(binding.candidates):
        return
    answer: Answer = "unknown"
    why = "configured: unknown"
    if configured.unknown:
        why += f" ({configured.unknown[0].removeprefix('unknown: ')})"
    elif configured.path is None:
        why += " (the target is no API that was read)"
    elif binding.layer not in ("unclear", "unknown") and configured.complete:
        answer, why = "disagrees", "nothing is configured there, and it limits"
    yield LayerComparison(
        layer=binding.layer,
        name=plain(binding.layer),
        binds=binding.layer not in ("unclear", "unknown"),
        rate_rps=None,
        burst=None,
        answer=answer,
        why=why,
    )


def quota_note(configured: Configured) -> str | None:
    """That GetAccount and Service Quotas have different figures for the account, if they do."""
    account = next((one for one in configured.buckets if layer_name(one) == _ACCOUNT), None)
    quota = configured.quota
    if account is None or quota is None or quota.rate_rps is None:
        return None
    if quota.rate_rps == account.rate_rps and quota.burst in (None, account.burst):
        return None
    parts = [f"{quota.rate_rps:,.0f}/s"]
    if quota.burst is not None:
        parts.append(f"burst {quota.burst:,}")
    has = listed(parts)
    return (
        f"Service Quotas has {has} for the account, GetAccount {account.rate_rps:,.0f}/s and "
        f"burst {account.burst:,}: what GetAccount says counts"
    )
