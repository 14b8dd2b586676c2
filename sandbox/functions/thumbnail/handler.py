"""Scales a photo down to a thumbnail and encodes it as PNG: work for the CPU alone.

The photo is drawn from the object key, so each call does the same amount of work. With an S3
event the key is that of the first record.
"""

import base64
import struct
import zlib

WIDTH, HEIGHT = 384, 288
THUMBNAIL_WIDTH = 128


def handler(event, context):
    key = object_key(event)
    pixels = draw(WIDTH, HEIGHT, seed=sum(key.encode()))
    factor = WIDTH // THUMBNAIL_WIDTH
    rows = [scale_row(pixels, y * factor, factor) for y in range(HEIGHT // factor)]
    png = encode_png(rows, THUMBNAIL_WIDTH)
    print(f"thumbnail of {key}: {len(png)} bytes")
    return {
        "key": key,
        "width": THUMBNAIL_WIDTH,
        "height": len(rows),
        "png": base64.b64encode(png).decode(),
    }


def object_key(event):
    records = (event or {}).get("Records") or []
    return records[0]["s3"]["object"]["key"] if records else "photo.png"


def draw(width, height, seed):
    """A grey gradient with texture, row by row."""
    return [bytes((x * y + seed * x + y) >> 3 & 0xFF for x in range(width)) for y in range(height)]


def scale_row(pixels, top, factor):
    """One row of the thumbnail: each pixel is the mean of a square of the photo."""
    band = pixels[top : top + factor]
    area = factor * factor
    return bytes(
        sum(sum(line[x : x + factor]) for line in band) // area
        for x in range(0, len(band[0]), factor)
    )


def encode_png(rows, width):
    header = struct.pack(">IIBBBBB", width, len(rows), 8, 0, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", body), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def chunk(kind, data):
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
