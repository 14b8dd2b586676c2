"""Sorts a large report in memory: needs some 190 MB, so it runs out of memory at 128 MB.

The rows come from a fixed generator, the same ones in each call.
"""

ROWS = 150_000
TEXT = "lorem ipsum " * 90


def handler(event, context):
    rows = make_rows(int((event or {}).get("rows", ROWS)))
    rows.sort()
    print(f"sorted {len(rows)} rows")
    return {"rows": len(rows), "first": rows[0][:8], "last": rows[-1][:8]}


def make_rows(count):
    """Rows with keys in no order: a linear congruential sequence."""
    key, rows = 1, []
    for _ in range(count):
        key = (key * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        rows.append(f"{key:08x} {TEXT}")
    return rows
