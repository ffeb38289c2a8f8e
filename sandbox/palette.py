"""Make a picture small enough for a repository: 256 colours instead of all."""

import base64
import struct
import zlib
from typing import Final

import msgspec
from msgspec import Struct

from sandbox.devtools import Page

# The palette: the most frequent colours that can be told apart. A card has few of its own, and the
# shades at the edges of its letters lie between those. Every pixel takes the nearest one.
_REDUCE: Final = """(async (png) => {
  const bytes = Uint8Array.from(atob(png), (one) => one.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
  const colours = new Uint32Array(pixels.length / 4);
  const counts = new Map();
  for (let at = 0; at < colours.length; at++) {
    const colour = (pixels[4 * at] << 16) | (pixels[4 * at + 1] << 8) | pixels[4 * at + 2];
    colours[at] = colour;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const gap = (one, other) => [16, 8, 0].reduce(
    (sum, shift) => sum + (((one >> shift) & 255) - ((other >> shift) & 255)) ** 2, 0);
  const palette = [];
  for (const [colour] of [...counts].sort((one, other) => other[1] - one[1])) {
    if (palette.length === 256) break;
    if (palette.every((taken) => gap(taken, colour) > 40)) palette.push(colour);
  }
  const nearest = new Map();
  for (const colour of counts.keys()) {
    const gaps = palette.map((taken) => gap(taken, colour));
    nearest.set(colour, gaps.indexOf(Math.min(...gaps)));
  }
  let indexes = "";
  for (const colour of colours) indexes += String.fromCharCode(nearest.get(colour));
  return { width: bitmap.width, height: bitmap.height, palette, indexes: btoa(indexes) };
})"""


class _Reduced(Struct, frozen=True):
    width: int
    height: int
    palette: list[int]
    indexes: bytes
    """One per pixel; msgspec decodes the base64 that JSON needs."""


async def shrink(picture: bytes, page: Page) -> bytes:
    """Return a PNG of the same picture in at most 256 colours; the browser does the counting."""
    encoded = base64.b64encode(picture).decode()
    reduced = msgspec.convert(await page.evaluate(f'{_REDUCE}("{encoded}")'), _Reduced)
    rows = [
        b"\0" + reduced.indexes[start : start + reduced.width]  # 0: the row is not filtered
        for start in range(0, len(reduced.indexes), reduced.width)
    ]
    # 8 bits a pixel, each the number of a colour. https://www.w3.org/TR/png-3/
    header = struct.pack(">IIBBBBB", reduced.width, reduced.height, 8, 3, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", b"".join(colour.to_bytes(3, "big") for colour in reduced.palette)),
            _chunk(b"IDAT", zlib.compress(b"".join(rows), level=9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
