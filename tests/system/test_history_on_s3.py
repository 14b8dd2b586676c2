"""A history in a bucket of the sandbox, through boto3 and the commands that people use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from core.aws.session import LocalAccess
from reports.history.encoding import encoded
from reports.history.history import open_history
from reports.history.names import object_name
from reports.history.pending import append_or_keep, send_pending
from tests.reports import history_records as made
from tests.system.conftest import CommandHere

pytestmark = pytest.mark.system

PLACE = "s3://nights/perf"


def test_a_history_in_a_bucket_keeps_all_and_replaces_nothing(
    local_access: LocalAccess, here: CommandHere, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_access.endpoint_url)
    monkeypatch.setenv("AWS_REGION", local_access.region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", local_access.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", local_access.secret_access_key)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    histories = [open_history(PLACE) for _ in range(2)]

    kept = append_or_keep(histories[0], made.run(1), tmp_path / "night")
    assert "NoSuchBucket" in str(kept.problem)
    boto3.client("s3", region_name=local_access.region).create_bucket(Bucket="nights")
    assert send_pending(histories[0], tmp_path / "night").names == (object_name(made.run(1)),)

    with ThreadPoolExecutor(8) as pool:  # two nights at once, which also share an id
        list(pool.map(lambda number: histories[number % 2].append(made.run(number)), range(2, 40)))
        values = [7.0, 8.0]
        list(pool.map(lambda history, value: history.append(made.run(40, value=value)),
                      histories, values))  # fmt: skip
    histories[0].append(made.night(40, made.alarm(40)))

    past = histories[1].load("shop")
    assert [run.sequence for run in past.runs] == list(range(1, 41))
    assert past == histories[0].load("shop") == open_history(PLACE).load("shop")
    store = histories[0].store
    assert len(store.objects("runs/")) == 41
    assert store.read(object_name(made.run(7))) == encoded(made.run(7))
    store.write("runs/shop/cut.ndjson.gz", encoded(made.run(50))[:60])
    (problem,) = open_history(PLACE).load("shop").problems
    assert "it is cut" in problem.reason

    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    accepted = here.run(
        "reports", "history", "accept", PLACE, "a0040", "--reason", "as it is", **cache
    )
    assert (accepted.code, accepted.out.splitlines()[0][:21]) == (0, "accepted alarm a0040 ")
    shown = here.run("reports", "history", "list", PLACE, "--json", **cache)
    assert shown.document["alarms"][0]["state"] == "accepted"
