"""Halves a photo of 90 megapixels that is held in memory whole: fails below 512 MB.

The photo takes 270 MB, three bytes a pixel; the work on the CPU is small beside that.
"""

WIDTH, HEIGHT, CHANNELS = 9_000, 10_000, 3


def handler(event, context):
    line = bytes(x & 0xFF for x in range(WIDTH * CHANNELS))
    photo = line * HEIGHT
    half = halve(photo, WIDTH * CHANNELS)
    print(f"resized {len(photo)} bytes to {len(half)}")
    return {"from_bytes": len(photo), "to_bytes": len(half), "mean": sum(half[:1000]) / 1000}


def halve(photo, stride):
    """Every second row, and in it every second pixel of the first channel."""
    view = memoryview(photo)
    rows = (
        bytes(view[top : top + stride : 2 * CHANNELS]) for top in range(0, len(photo), 2 * stride)
    )
    return b"".join(rows)
