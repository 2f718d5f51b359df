from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import select

from helpdesk_core.accounts.service import avatars
from helpdesk_core.audit import AuditEntry
from tests.contract.steps import column, deleted, refused, served
from tests.pictures import picture

PATH = "/users/profile/avatar/"


def upload(client, content, name="me.png", media="image/png"):
    return client.put(PATH, files={"file": (name, content, media)})


def path_of(client):
    return f"/users/{client.user.id}/avatar/"


def jpeg_with(scans=0, notes=0):
    """A progressive JPEG with so many scans more, and so many segments that belong to one text."""
    content = picture("JPEG", progressive=True)
    end = content.rindex(b"\xff\xd9")
    last_scan = content[content.rindex(b"\xff\xda") : end]
    note = b"\xff\xe1\x00\x0cExif\0\0more"
    return content[:2] + note * notes + content[2:end] + last_scan * scans + content[end:]


def gif_with(comments=0, pieces=0):
    """A GIF with so many comments, or with one in so many pieces."""
    content = picture("GIF")
    start = content.index(b"," + b"\0" * 4)
    chopped = b"!\xfe" + b"\x01a" * pieces + b"\0" if pieces else b""
    return content[:start] + b"!\xfe\x01a\0" * comments + chopped + content[start:]


class TestSetting:
    def test_is_for_oneself(self, installation, anonymous, member, second_member):
        refused(upload(anonymous, picture()), 401)
        shown = served(upload(member, picture()))
        assert shown["avatar"] == f"/api/v1{path_of(member)}"
        assert served(member.get("/users/profile/"))["avatar"] == shown["avatar"]
        assert served(second_member.get("/users/profile/"))["avatar"] is None
        assert [kind for kind, _ in installation.events() if kind == "user.updated"] == ["user.updated"]
        with installation.session(member.organization_id) as session:
            assert "user.avatar_changed" in session.scalars(select(AuditEntry.act)).all()

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
    def test_makes_a_square_png_of_each_kind(self, member, kind):
        served(upload(member, picture(kind, (900, 700))))
        reply = member.get(path_of(member))
        assert reply.headers["content-type"] == "image/png"
        with Image.open(BytesIO(reply.content)) as stored:
            assert (stored.format, stored.size) == ("PNG", (512, 512))
            assert stored.convert("RGB").getpixel((256, 256))[0] > 200

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
    def test_takes_every_sort_of_pixels(self, member, mode):
        target = BytesIO()
        Image.new(mode, (40, 30)).save(target, "PNG")
        served(upload(member, target.getvalue()))

    @pytest.mark.parametrize("size", [(1, 1), (1, 5000), (30, 40)])
    def test_enlarges_nothing(self, member, size):
        served(upload(member, picture(size=size)))
        with Image.open(BytesIO(member.get(path_of(member)).content)) as stored:
            assert stored.size == (min(size), min(size))

    def test_keeps_pixels_alone(self, member):
        exif = Image.Exif()
        exif[0x010E] = "taken at home"
        exif[0x0112] = 6  # lies on its side
        content = picture("JPEG", (40, 20), exif=exif, comment=b"secret place", icc_profile=b"a profile")
        assert b"taken at home" in content
        served(upload(member, content))
        stored = member.get(path_of(member)).content
        assert not [word for word in (b"home", b"secret", b"profile", b"eXIf", b"iCCP", b"tEXt") if word in stored]

    def test_turns_pictures_upright(self, member):
        image = Image.new("RGB", (40, 40), "white")
        image.paste("black", (0, 0, 40, 20))
        exif = Image.Exif()
        exif[0x0112] = 6
        target = BytesIO()
        image.save(target, "JPEG", exif=exif)
        served(upload(member, target.getvalue()))
        with Image.open(BytesIO(member.get(path_of(member)).content)) as stored:
            assert stored.getpixel((35, 5))[0] < 50
            assert stored.getpixel((5, 35))[0] > 200

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"plain text",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            picture()[:60],
            picture("WEBP")[:40],
            picture("JPEG")[:200],
            b"GIF89a" + b"\xff" * 40,
            picture("BMP"),
            picture("TIFF"),
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        ],
        ids=["nothing", "text", "SVG", "half PNG", "half WebP", "half JPEG", "bad GIF", "BMP", "TIFF", "EPS"],
    )
    def test_refuses_what_is_no_picture(self, installation, member, content):
        assert refused(upload(member, content), 400)["error"]["details"]["field"] == "file"
        assert installation.files.files == {}

    @pytest.mark.parametrize(("size", "status"), [((5000, 5000), 200), ((5001, 5000), 400), ((20_000, 20_000), 400)])
    def test_refuses_what_is_huge_before_it_is_decoded(self, member, monkeypatch, size, status):
        content = picture("PNG", size, mode="1")
        assert len(content) < 100_000
        if status == 400:
            monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("it was decoded"))
        reply = upload(member, content)
        assert reply.status_code == status
        if status == 400:
            assert "25 million" in reply.text

    @pytest.mark.parametrize(
        "content",
        [jpeg_with(scans=65), jpeg_with(notes=1001), gif_with(comments=1001), gif_with(pieces=1001)],
        ids=["JPEG of many scans", "JPEG of many segments", "GIF of many comments", "GIF of a chopped comment"],
    )
    def test_refuses_what_is_made_to_be_slow_before_it_is_decoded(self, member, monkeypatch, content):
        monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("it was opened"))
        reply = refused(upload(member, content), 400)
        assert reply["error"]["details"]["field"] == "file"
        assert "too many parts" in str(reply)

    @pytest.mark.parametrize(
        "content",
        [
            picture("JPEG", progressive=True),
            jpeg_with(scans=20, notes=900),
            picture("JPEG") + b"\xff\xda" * 1000,
            gif_with(comments=400),
        ],
        ids=["progressive", "many parts", "followed by a video", "GIF with comments"],
    )
    def test_takes_what_cameras_and_programs_make(self, member, content):
        served(upload(member, content))

    @pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
    def test_takes_the_first_image_of_a_moving_one(self, member, kind):
        others = [Image.new("RGB", (40, 30), colour) for colour in ("green", "blue")]
        served(upload(member, picture(kind, save_all=True, append_images=others, duration=100)))
        with Image.open(BytesIO(member.get(path_of(member)).content)) as stored:
            assert stored.convert("RGB").getpixel((15, 15))[0] > 200

    def test_needs_the_file(self, member):
        refused(member.put(PATH, files={"picture": ("a.png", picture(), "image/png")}), 400)
        refused(member.put(PATH, json={}), 415)

    def test_takes_no_more_than_other_uploads(self, installation, member):
        limit = installation.parts.settings.max_upload_bytes
        refused(upload(member, picture() + b"\0" * limit), 413)

    def test_removes_the_one_before(self, installation, member):
        served(upload(member, picture()))
        (first,) = installation.files.files
        served(upload(member, picture(size=(10, 10))))
        (second,) = installation.files.files
        assert first != second

    def test_that_fails_leaves_everything_as_it_was(self, installation, member, monkeypatch):
        served(upload(member, picture()))
        before = dict(installation.files.files)

        def fail(*_, **__):
            raise RuntimeError

        monkeypatch.setattr(avatars, "mark_changed", fail)
        refused(upload(member, picture(size=(10, 10))), 500)
        assert installation.files.files == before
        monkeypatch.setattr(avatars.audit, "record", fail)
        refused(member.delete(PATH), 500)
        assert installation.files.files == before


class TestSeeing:
    @pytest.fixture
    def shown(self, member):
        served(upload(member, picture()))
        return path_of(member)

    def test_is_for_those_who_see_the_user(self, outsider, anonymous, second_member, agent, member, shown):  # noqa: PLR0917
        refused(anonymous.get(shown), 401)
        for client in (outsider, second_member):
            refused(client.get(shown), 404)
        for client in (agent, member):
            assert client.get(shown).status_code == 200
        refused(agent.get(path_of(agent)), 404)

    def test_is_sent_once(self, member, shown):
        tag = member.get(shown).headers["ETag"]
        again = member.get(shown, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        served(upload(member, picture(size=(10, 10))))
        assert member.get(shown, headers={"If-None-Match": tag}).status_code == 200

    def test_is_sent_as_a_harmless_file(self, member, shown):
        headers = member.get(shown).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "sandbox; default-src 'none'"


class TestRemoving:
    def test_is_done_once(self, installation, member):
        served(upload(member, picture()))
        for _ in range(2):
            deleted(member.delete(PATH))
        assert installation.files.files == {}
        refused(member.get(path_of(member)), 404)
        assert served(member.get("/users/profile/"))["avatar"] is None
        with installation.session(member.organization_id) as session:
            acts = list(session.scalars(select(AuditEntry.act)))
        assert acts.count("user.avatar_removed") == 1


def test_lists_show_where_pictures_are(owner, member):
    served(upload(member, picture()))
    shown = dict(zip(column(owner, "/users/", "id"), column(owner, "/users/", "avatar"), strict=True))
    assert [key for key, path in shown.items() if path] == [member.user.id]
    assert owner.raw("GET", shown[member.user.id]).status_code == 200
