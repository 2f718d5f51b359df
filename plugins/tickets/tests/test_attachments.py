"""Attachments over HTTP."""

import pytest

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.fixture
def ticket(member):
    return opened(member)


@pytest.fixture
def attachment(member, ticket):
    return uploaded(member, f"/tickets/{ticket['id']}/attachments/")


def opened(client, **fields):
    reply = client.post("/tickets/", json={"subject": "Down", **fields})
    assert reply.status_code == 201, reply.text
    return reply.json()


def upload(client, path="/attachments/", *, name="screen.png", content=PNG, media="image/png"):
    return client.post(path, files={"file": (name, content, media)})


def uploaded(client, path="/attachments/", **fields):
    reply = upload(client, path, **fields)
    assert reply.status_code == 201, reply.text
    return reply.json()


def listed(client, ticket):
    reply = client.get(f"/tickets/{ticket['id']}/attachments/")
    assert reply.status_code == 200, reply.text
    return [row["id"] for row in reply.json()["results"]]


class TestOutsiders:
    def test_find_no_file(self, outsider, ticket, attachment):
        for path in (f"/attachments/{attachment['id']}/", f"/attachments/{attachment['id']}/download/"):
            assert outsider.get(path).status_code == 404
        assert outsider.delete(f"/attachments/{attachment['id']}/").status_code == 404
        assert outsider.get(f"/tickets/{ticket['id']}/attachments/").status_code == 404

    def test_upload_to_no_ticket_and_leave_nothing(self, installation, outsider, ticket):
        assert upload(outsider, f"/tickets/{ticket['id']}/attachments/").status_code == 404
        assert installation.files.files == {}

    def test_attach_nothing_of_others(self, outsider, member):
        orphan = uploaded(member)
        reply = outsider.post("/tickets/", json={"subject": "Mine", "attachments": [orphan["id"]]})
        assert reply.status_code == 400


class TestOthersOfTheOrganization:
    def test_see_what_they_see_of_the_ticket(self, agent, owner, technician, second_member, attachment):
        path = f"/attachments/{attachment['id']}/"
        for client, status in ((agent, 200), (owner, 200), (technician, 404), (second_member, 404)):
            assert client.get(path).status_code == status
            assert client.get(f"{path}download/").status_code == status

    def test_see_no_file_before_a_ticket_has_it(self, agent, owner, member):
        orphan = uploaded(member)
        path = f"/attachments/{orphan['id']}/"
        assert member.get(path).json() == orphan
        for client in (agent, owner):
            assert client.get(path).status_code == client.get(f"{path}download/").status_code == 404
            assert client.delete(path).status_code == 404

    def test_attach_no_file_of_somebody_else(self, agent, member):
        orphan = uploaded(member)
        reply = agent.post("/tickets/", json={"subject": "Mine", "attachments": [orphan["id"]]})
        assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, "attachments")

    def test_see_nothing_of_a_deleted_ticket(self, agent, member, ticket, attachment):
        agent.delete(f"/tickets/{ticket['id']}/")
        for client in (agent, member):
            assert client.get(f"/attachments/{attachment['id']}/").status_code == 404


class TestUploads:
    def test_show_what_is_known_in_the_callers_words(self, member, ticket, attachment):
        assert attachment == {
            "id": attachment["id"],
            "filename": "screen.png",
            "content_type": "image/png",
            "size": len(PNG),
            "url": f"/api/v1/attachments/{attachment['id']}/download/",
            "uploaded_by": {"id": member.user.id, "email": "member@acme.com", "full_name": "Member Example"},
            "created_at": "2026-03-02T10:00:00Z",
        }
        shown = member.classic.get(f"/attachments/{attachment['id']}/").json()
        assert shown["uploaded_by"] == {"id": member.user.id, "username": "member", "email": "member@acme.com"}
        assert member.get(f"/tickets/{ticket['id']}/").json()["attachments"] == [attachment]

    def test_have_harmless_names(self, member):
        assert uploaded(member, name="../../etc/passwd.png")["filename"] == "passwd.png"

    def test_are_believed_by_their_content(self, member):
        assert uploaded(member, content=b"<script>", media="image/png")["content_type"] == "application/octet-stream"
        assert uploaded(member, media="application/octet-stream")["content_type"] == "image/png"

    @pytest.mark.parametrize(
        "fields", [{"content": b""}, {"media": "a picture"}, {"name": ""}], ids=["empty", "no type", "no name"]
    )
    def test_that_are_no_files_are_refused_and_leave_nothing(self, installation, member, fields):
        assert upload(member, **fields).status_code == 400
        assert installation.files.files == {}

    def test_need_a_part_called_file(self, member):
        assert member.post("/attachments/", files={"picture": ("a.png", PNG)}).status_code == 400
        assert member.post("/attachments/", json={"file": "x"}).status_code == 415

    def test_over_the_limit_are_refused_and_leave_nothing(self, installation, member):
        limit = installation.parts.settings.max_upload_bytes
        assert upload(member, content=b"x" * (limit + 1)).status_code == 413
        assert installation.files.files == {}

    def test_are_told(self, installation, member, ticket, attachment):
        told = {"attachment_id": attachment["id"], "ticket_id": listed_key(member, ticket)}
        assert installation.events()[-1] == ("attachment.created", told)


def listed_key(client, ticket):
    return client.get(f"/tickets/{ticket['id']}/", params={"include": "key"}).json()["key"]


class TestDownloads:
    def test_bring_the_content_as_a_file(self, member, attachment):
        reply = member.get(f"/attachments/{attachment['id']}/download/")
        assert (reply.content, reply.headers["content-type"]) == (PNG, "image/png")
        assert reply.headers["content-disposition"].startswith('attachment; filename="screen.png"')
        assert reply.headers["content-length"] == str(len(PNG))

    def test_of_pages_are_no_pages(self, member):
        page = uploaded(member, name="page.html", content=b"<script>", media="text/html")
        reply = member.get(f"/attachments/{page['id']}/download/")
        assert reply.headers["content-type"] == "application/octet-stream"
        assert reply.headers["x-content-type-options"] == "nosniff"

    def test_keep_names_of_any_language(self, member):
        named = uploaded(member, name="請求書.png")
        reply = member.get(f"/attachments/{named['id']}/download/")
        assert "filename*=UTF-8''%E8%AB%8B%E6%B1%82%E6%9B%B8" in reply.headers["content-disposition"]

    def test_need_a_credential(self, anonymous, attachment):
        assert anonymous.get(f"/attachments/{attachment['id']}/download/").status_code == 401


class TestDeletion:
    def test_by_the_uploader_removes_row_and_file(self, installation, member, ticket, attachment):
        assert member.delete(f"/attachments/{attachment['id']}/").status_code == 204
        assert installation.files.files == {}
        assert listed(member, ticket) == []

    def test_is_for_uploader_and_administrators(self, installation, agent, owner, attachment):
        assert agent.delete(f"/attachments/{attachment['id']}/").status_code == 403
        assert len(installation.files.files) == 1
        assert owner.delete(f"/attachments/{attachment['id']}/").status_code == 204


class TestInBodiesOfTickets:
    def test_an_id_or_the_object_attaches(self, member):
        files = [uploaded(member) for _ in range(2)]
        ticket = opened(member, attachments=[files[0]["id"], files[1]])
        assert [file["id"] for file in ticket["attachments"]] == [file["id"] for file in files]

    def test_a_list_replaces_and_none_leaves_alone(self, member, ticket, attachment):
        path = f"/tickets/{ticket['id']}/"
        assert member.put(path, json={"subject": "Up"}).json()["attachments"] == [attachment]
        other = uploaded(member)
        assert member.put(path, json={"attachments": [other["id"]]}).json()["attachments"] == [other]
        assert member.put(path, json={"attachments": [attachment["id"], other["id"]]}).status_code == 200
        assert member.put(path, json={"attachments": []}).json()["attachments"] == []

    def test_what_was_read_can_be_sent_back(self, agent, ticket, attachment):
        path = f"/tickets/{ticket['id']}/"
        before = agent.get(path).json()
        assert agent.put(path, json=before).json()["attachments"] == [attachment]

    def test_an_unknown_id_is_refused_and_changes_nothing(self, member, ticket, attachment):
        path = f"/tickets/{ticket['id']}/"
        assert member.put(path, json={"attachments": [attachment["id"], 999_999]}).status_code == 400
        assert listed(member, ticket) == [attachment["id"]]

    def test_a_file_of_another_ticket_is_unknown(self, member, attachment):
        reply = member.post("/tickets/", json={"subject": "Other", "attachments": [attachment["id"]]})
        assert reply.status_code == 400

    def test_the_history_tells(self, agent, member, ticket, attachment):
        member.put(f"/tickets/{ticket['id']}/", json={"attachments": []})
        rows = agent.get(f"/tickets/{ticket['id']}/history/").json()["results"]
        change = [(row["before"], row["after"]) for row in rows if row["field"] == "attachments"]
        assert change[-1] == ([attachment["id"]], [])
