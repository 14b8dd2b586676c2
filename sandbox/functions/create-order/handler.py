"""Takes an order: checks it, numbers it by what is in it, and waits 8 ms for the store.

An order that cannot be is answered with 400, as a good handler does: that is no error of Lambda.
The store is a pause of STORE_MS, which stands for a write over the network.
"""

import base64
import hashlib
import json
import os
import time

STORE_MS = float(os.environ.get("STORE_MS", "8"))
DEFAULT_ORDER = {"items": [{"sku": "A-1", "quantity": 2}]}


def handler(event, context):
    try:
        order = read(event or {})
        check(order)
    except ValueError as error:
        return answer(400, {"message": str(error)})
    number = number_of(order)
    store(order)
    print(f"order {number} with {len(order['items'])} items")
    return answer(201, {"id": number, "items": order["items"]})


def read(event):
    body = event.get("body")
    if body is None:
        return DEFAULT_ORDER
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body)
    return json.loads(body)


def check(order):
    items = order.get("items") if isinstance(order, dict) else None
    if not isinstance(items, list) or not items:
        raise ValueError("an order has at least one item")
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("sku"), str):
            raise ValueError("each item has a sku")
        quantity = item.get("quantity")
        if not isinstance(quantity, int) or not 1 <= quantity <= 1000:
            raise ValueError("each item has a quantity from 1 to 1000")


def number_of(order):
    text = json.dumps(order, sort_keys=True)
    return "O-" + hashlib.sha256(text.encode()).hexdigest()[:12]


def store(order):
    time.sleep(STORE_MS / 1000)


def answer(status, document):
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(document),
    }
