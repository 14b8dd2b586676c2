"""Answers from a slow store behind it: nearly all waiting, so more memory hardly helps.

The store is a pause of DOWNSTREAM_MS, which stands for a query over the network.
"""

import json
import os
import time

DOWNSTREAM_MS = float(os.environ.get("DOWNSTREAM_MS", "60"))


def handler(event, context):
    parameters = (event or {}).get("pathParameters") or {}
    item = query(parameters.get("id", "1"))
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(item),
    }


def query(item_id):
    time.sleep(DOWNSTREAM_MS / 1000)
    return {"id": item_id, "name": f"Item {item_id}", "stock": len(item_id) * 7}
