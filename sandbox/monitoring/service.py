"""CloudWatch behind the front; SigV4 calls it "monitoring", botocore "cloudwatch"."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.lambda_api.names import Home
from sandbox.monitoring.alarms import MetricAlarms
from sandbox.monitoring.evaluation import QuotaOf
from sandbox.monitoring.listing import MetricListing
from sandbox.monitoring.metric_data import MetricData
from sandbox.monitoring.metric_statistics import MetricStatistics
from sandbox.monitoring.publishing import MetricPublishing
from sandbox.rest_json.validation import Validator
from sandbox.rpc.service import Operation, RpcService
from sandbox.telemetry.metrics import Metric, MetricStore


def _no_quota(metric: Metric) -> float | None:
    return None


class MonitoringService(RpcService):
    """Answers signed requests to CloudWatch from a store.

    `quota_of` gives the quota that a metric is the usage of, for SERVICE_QUOTA in expressions.
    """

    def __init__(self, home: Home, store: MetricStore, quota_of: QuotaOf = _no_quota) -> None:
        data = MetricData(home.account_id, store, quota_of)
        alarms = MetricAlarms(home)
        operations: Mapping[str, Operation] = {
            "DeleteAlarms": alarms.delete_alarms,
            "DescribeAlarms": alarms.describe_alarms,
            "GetMetricData": data.get_metric_data,
            "GetMetricStatistics": MetricStatistics(store).get_metric_statistics,
            "ListMetrics": MetricListing(home.account_id, store).list_metrics,
            "PutMetricAlarm": alarms.put_metric_alarm,
            "PutMetricData": MetricPublishing(store).put_metric_data,
            "SetAlarmState": alarms.set_alarm_state,
        }
        validator = Validator({}, frozenset())
        super().__init__("cloudwatch", "CloudWatch", home.region, operations, validator)
