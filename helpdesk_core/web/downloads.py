"""Stored files as answers."""

from helpdesk_core.web.answers import Answer, Download
from helpdesk_core.web.context import Context

SAFE_IN_BROWSER = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"})


def download(file: Download, ctx: Context) -> Answer:
    """Return the answer with a file; browsers show no kind of file that could do anything in our name."""
    if file.etag is not None:
        ctx.headers["ETag"] = file.etag
        if file.etag in ctx.incoming.headers.get("if-none-match", ""):
            return Answer(304, headers=ctx.headers)
    plain = file.filename.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "_")
    headers = {
        **ctx.headers,
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{_percent(file.filename)}",
        "Content-Length": str(file.size),
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    shown = file.media_type if file.media_type in SAFE_IN_BROWSER else "application/octet-stream"
    return Answer(200, file.chunks, headers, shown)


def _percent(text: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else "".join(f"%{byte:02X}" for byte in c.encode()) for c in text)
