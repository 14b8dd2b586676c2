"""Prices a cart and has it paid: some 15 ms of CPU, then 40 ms of waiting for the payment.

The payment is a pause of PAYMENT_MS, which stands for a call to a provider.
"""

import json
import os
import time
from decimal import ROUND_HALF_UP, Decimal

PAYMENT_MS = float(os.environ.get("PAYMENT_MS", "40"))
DEFAULT_CART = {"items": [{"sku": "A-1", "price": "19.99", "quantity": 2}], "country": "DE"}
TAX_SHARE = {"DE": Decimal("0.19"), "FR": Decimal("0.20"), "US": Decimal("0.07")}
# Promotions that are tried on each cart; the cheapest combination wins.
PROMOTIONS = [(Decimal(step) / 1000, Decimal(step % 37)) for step in range(7000)]


def handler(event, context):
    cart = json.loads((event or {}).get("body") or "null") or DEFAULT_CART
    total = price(cart)
    payment = pay(total)
    print(f"cart of {len(cart['items'])} items paid: {total}")
    return {
        "statusCode": 201,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"total": str(total), "payment": payment}),
    }


def price(cart):
    net = sum(Decimal(item["price"]) * item["quantity"] for item in cart["items"])
    best = min(net - discount(net, share, floor) for share, floor in PROMOTIONS)
    tax = best * TAX_SHARE.get(cart.get("country", "DE"), Decimal(0))
    return (best + tax).quantize(Decimal("0.01"), ROUND_HALF_UP)


def discount(net, share, floor):
    """A share of what is above a floor, and at most a tenth of the cart."""
    return min(max(net - floor, Decimal(0)) * share, net / 10)


def pay(total):
    time.sleep(PAYMENT_MS / 1000)
    return f"paid-{total}"
