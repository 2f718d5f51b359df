"""Pictures of people: whatever is uploaded becomes a small square PNG that holds nothing but its pixels."""

import re
from io import BytesIO
from typing import BinaryIO

from PIL import Image, ImageOps

from helpdesk_core.errors import Invalid

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
LARGEST_SIDE = 512
MOST_PIXELS = 25_000_000
"""Of what is decoded: 100 MB in memory."""
MOST_SCANS = 64
"""Of a JPEG, which is decoded once for each; encoders make about ten."""
MOST_PARTS = 1000
"""Segments of a JPEG, or blocks before the image of a GIF: Pillow joins what they hold piece by piece."""

_MARKER = re.compile(rb"\xff([\x01-\xfe])")
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9


def square_png(source: BinaryIO) -> bytes:
    """Return a picture as a square PNG of at most 512 pixels a side, upright, without metadata.

    Args:
        source: a PNG, JPEG, GIF or WebP file; of a moving one the first frame counts.

    Raises:
        Invalid: it is none of them, broken, has more than 25 million pixels, or is made to be slow (400).
    """
    content = source.read()
    _refuse_laborious(content)
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            _refuse_huge(image)
            return _encoded(image)
    except Invalid:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large() from None
    except Exception:  # noqa: BLE001 - decoders fail in many ways on what is no picture
        raise Invalid.field("file", "This is not a PNG, JPEG, GIF or WebP picture.") from None


def _encoded(image: Image.Image) -> bytes:
    image.draft("RGB", (LARGEST_SIDE * 2, LARGEST_SIDE * 2))  # a JPEG is decoded at a fraction of its size
    upright = ImageOps.exif_transpose(image)
    side = min(LARGEST_SIDE, *upright.size)
    pixels = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    square = ImageOps.fit(pixels, (side, side))
    square.info.clear()  # colour profiles and comments would be written again
    target = BytesIO()
    square.save(target, "PNG")
    return target.getvalue()


def _refuse_laborious(content: bytes) -> None:
    """Refuse small files that take long to decode. PNG and WebP have no parts that are joined or decoded again."""
    laborious = False
    if content.startswith(b"\xff\xd8"):
        laborious = _is_laborious_jpeg(content)
    elif content.startswith(b"GIF8"):
        laborious = _is_laborious_gif(content)
    if laborious:
        raise Invalid.field("file", "This picture has too many parts.")


def _is_laborious_jpeg(content: bytes) -> bool:
    """Tell whether there are too many segments; what follows the picture, a video for instance, is not looked at."""
    scans = segments = position = 0
    while (found := _MARKER.search(content, position)) and found[1][0] != _END_OF_IMAGE:
        marker, position = found[1][0], found.end()
        if marker in _BARE_MARKERS:
            continue
        segments += 1
        scans += marker == _START_OF_SCAN
        if scans > MOST_SCANS or segments > MOST_PARTS:
            return True
        position += int.from_bytes(content[position : position + 2])
    return False


def _is_laborious_gif(content: bytes) -> bool:
    """Tell whether too many blocks come before the first image."""
    flags = content[10] if len(content) > 10 else 0
    position = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    parts = 0
    while content[position : position + 1] == b"!":
        position += 2
        while position < len(content) and (size := content[position]):
            position += size + 1
            parts += 1
        position += 1
        parts += 1
        if parts > MOST_PARTS:
            return True
    return False


def _refuse_huge(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:  # known from the header, before anything is decoded
        raise _too_large()


def _too_large() -> Invalid:
    return Invalid.field("file", "A picture may have at most 25 million pixels.")
