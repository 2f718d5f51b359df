"""What is believed about an uploaded file."""

import pytest

from helpdesk_tickets.uploads import believed_type, declared_type, safe_name

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
PDF = b"%PDF-1.7\n"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\report.pdf", "report.pdf"),
        ("a\r\nSet-Cookie: x.txt", "aSet-Cookie: x.txt"),
        ("a\x00b.txt", "ab.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("Übersicht 2026.xlsx", "Übersicht 2026.xlsx"),
        ("請求書.pdf", "請求書.pdf"),
        (".htaccess", "htaccess"),
        ("..", "file"),
        ("/", "file"),
        ("name. ", "name"),
        ("\udcff.txt", "txt"),
    ],
)
def test_a_name_is_the_last_part_of_a_path_without_what_does_not_print(name, safe):
    assert safe_name(name) == safe


def test_a_long_name_keeps_its_ending():
    assert safe_name("a" * 400 + ".pdf") == "a" * 251 + ".pdf"
    assert len(safe_name("a." + "b" * 400)) == 255


@pytest.mark.parametrize(
    ("header", "media"),
    [
        ("image/png", "image/png"),
        ("Text/Plain; charset=utf-8", "text/plain"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",) * 2,
        (None, "application/octet-stream"),
        ("", "application/octet-stream"),
        ("picture", None),
        ("image/", None),
        ("image/png\r\nX: y", None),
        ("a/" + "b" * 200, None),
    ],
)
def test_a_declared_type_has_a_form(header, media):
    assert declared_type(header) == media


@pytest.mark.parametrize(
    ("declared", "head", "media"),
    [
        ("image/png", PNG, "image/png"),
        ("image/jpeg", PNG, "image/png"),
        ("application/octet-stream", PDF, "application/pdf"),
        ("image/png", b"<script>alert(1)</script>", "application/octet-stream"),
        ("application/pdf", b"plain", "application/octet-stream"),
        ("text/plain", b"plain", "text/plain"),
        ("text/plain", b"MZ\x90\x00", "application/octet-stream"),
        ("text/html", b"<html>", "text/html"),
        ("image/webp", b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        ("image/webp", b"RIFF\x10\x00\x00\x00WAVEfmt ", "application/octet-stream"),
    ],
)
def test_the_content_says_what_a_browser_would_show(declared, head, media):
    assert believed_type(declared, head) == media
