"""What is believed about an uploaded file: its name made harmless, its type compared with its content."""

import re
import unicodedata

UNKNOWN_TYPE = "application/octet-stream"
HEAD = 512
"""So many bytes of a file are looked at."""
LONGEST_NAME = 255

_TYPE = re.compile(r"[a-z0-9][a-z0-9.+!#$&^_-]*/[a-z0-9][a-z0-9.+!#$&^_-]*")
_SIGNATURES = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "application/pdf": re.compile(rb"%PDF-"),
}
_DIRECTION = set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that show `invoice<mark>fdp.exe` as `invoiceexe.pdf`."""


def safe_name(name: str) -> str:
    r"""Return the last part of a path, without what does not print; it never becomes a path of ours.

    >>> safe_name("C:\\temp\\re\x07port.pdf"), safe_name("../.."), safe_name("a" * 300 + ".pdf")[-6:]
    ('report.pdf', 'file', 'aa.pdf')
    """
    last = unicodedata.normalize("NFC", re.split(r"[\\/]", name)[-1])
    printed = "".join(
        c for c in last if unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"} and c not in _DIRECTION
    )
    stem, dot, suffix = printed.strip(" .").rpartition(".")
    if not stem or len(suffix) > 20:
        return (stem + dot + suffix)[:LONGEST_NAME] or "file"
    return f"{stem[: LONGEST_NAME - len(suffix) - 1]}.{suffix}"


def declared_type(header: str | None) -> str | None:
    """Return the media type that a part declares, without its parameters; nothing when it has no form of one.

    >>> declared_type("Text/Plain; charset=utf-8"), declared_type(None), declared_type("a picture")
    ('text/plain', 'application/octet-stream', None)
    """
    if not header:
        return UNKNOWN_TYPE
    media = header.partition(";")[0].strip().lower()
    return media if len(media) <= 100 and _TYPE.fullmatch(media) else None


def believed_type(declared: str, head: bytes) -> str:
    """Return the type to store: what a browser would show must be what the content says.

    A type of the table is taken from the content alone; a text must not hold NUL bytes. Everything else is stored as
    declared, because it is only ever sent as a download of unknown type.
    """
    for media, signature in _SIGNATURES.items():
        if signature.match(head):
            return media
    if declared in _SIGNATURES or (declared == "text/plain" and b"\0" in head):
        return UNKNOWN_TYPE
    return declared
