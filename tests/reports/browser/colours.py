"""Colours of a screenshot, counted by the browser itself."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

# A colour counts from this share of the picture on: the edges of letters have many rarer ones.
_LEAST_SHARE = 0.0002
_COUNT = """async ([png, share]) => {
  const bytes = Uint8Array.from(atob(png), letter => letter.charCodeAt(0));
  const picture = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
  const {width, height} = picture;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(picture, 0, 0);
  const counted = new Map();
  for (const pixel of new Uint32Array(canvas.getImageData(0, 0, width, height).data.buffer)) {
    counted.set(pixel, (counted.get(pixel) ?? 0) + 1);
  }
  return [...counted.values()].filter(count => count >= share * width * height).length;
}"""


def colours_of(context: BrowserContext, png: bytes) -> int:
    """How many colours a screenshot has that cover more than a speck of it."""
    blank = context.new_page()
    found: int = blank.evaluate(_COUNT, [base64.b64encode(png).decode(), _LEAST_SHARE])
    blank.close()
    return found
