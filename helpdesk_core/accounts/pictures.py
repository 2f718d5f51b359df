"""Pictures of people: whatever is uploaded becomes a small square PNG that holds nothing but its pixels."""

from io import BytesIO
from typing import BinaryIO

from PIL import Image, ImageOps

from helpdesk_core.errors import Invalid

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
LARGEST_SIDE = 512
MOST_PIXELS = 25_000_000
"""Of what is decoded: 100 MB in memory."""


def square_png(source: BinaryIO) -> bytes:
    """Return a picture as a square PNG of at most 512 pixels a side, upright, without metadata.

    Args:
        source: a PNG, JPEG, GIF or WebP file; of a moving one the first frame counts.

    Raises:
        Invalid: it is none of them, broken, or has more than 25 million pixels (400).
    """
    try:
        with Image.open(source, formats=FORMATS) as image:
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


def _refuse_huge(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:  # known from the header, before anything is decoded
        raise _too_large()


def _too_large() -> Invalid:
    return Invalid.field("file", "A picture may have at most 25 million pixels.")
