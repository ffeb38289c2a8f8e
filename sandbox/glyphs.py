"""Find characters that no font of this machine has, which a picture would show as empty boxes."""

from typing import Final

import msgspec

from sandbox.devtools import Page

FONTS_TO_INSTALL: Final = (
    "install fonts for Japanese and emoji, on Debian and Ubuntu: "
    "apt-get install fonts-noto-cjk fonts-noto-color-emoji"
)
_MOST_NAMED = 10

# Each character is drawn and compared with what is drawn for two that no font can have: U+0378 is
# not assigned, and U+10FFFF never will be. Asking the system for its fonts would not tell which of
# them the browser falls back to.
_UNCOVERED = """(() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 32;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.font = `20px ${getComputedStyle(document.body).fontFamily}`;
  const draw = (character) => {
    context.clearRect(0, 0, 32, 32);
    context.fillText(character, 4, 24);
    return context.getImageData(0, 0, 32, 32).data.join();
  };
  const boxes = new Set(["\\u0378", "\\u{10FFFF}"].map(draw));
  const isVisible = (character) => /[\\p{L}\\p{N}\\p{P}\\p{S}]/u.test(character);
  const shown = [...new Set(document.body.innerText)].filter(isVisible);
  return shown.filter((character) => boxes.has(draw(character)));
})()"""


async def uncovered_characters(page: Page) -> str:
    """Return the characters of the page that no font has, the first few of them; `''` for none."""
    found = msgspec.convert(await page.evaluate(_UNCOVERED), list[str])
    if len(found) <= _MOST_NAMED:
        return " ".join(found)
    return f"{' '.join(found[:_MOST_NAMED])} and {len(found) - _MOST_NAMED} more"
