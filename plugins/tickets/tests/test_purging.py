"""What nobody can reach any more is forgotten for good, and nothing else."""

from datetime import timedelta

from helpdesk_core.testing import Client, Installation, TestClock
from helpdesk_tickets.service.purging import Purged, purge


def upload(client: Client, name: str) -> int:
    reply = client.post("/attachments/", files={"file": (name, b"hello", "text/plain")})
    assert reply.status_code == 201, reply.text
    return int(reply.json()["id"])


def run(installation: Installation) -> Purged:
    with installation.session() as session:
        done = purge(session, installation.files)
        installation.commit(session)
    return done


def test_uploads_without_a_ticket_are_forgotten_after_a_day(
    installation: Installation, member: Client, clock: TestClock
) -> None:
    kept = upload(member, "kept.txt")
    member.post("/tickets/", json={"subject": "With a file", "attachments": [kept]})
    orphan = upload(member, "orphan.txt")
    assert run(installation) == Purged(0, 0)
    clock.advance(hours=25)
    assert run(installation) == Purged(1, 0)
    assert member.get(f"/attachments/{orphan}/").status_code == 404
    assert member.get(f"/attachments/{kept}/download/").content == b"hello"
    assert len(installation.files.files) == 1


def test_deleted_tickets_are_forgotten_after_a_month_with_all_that_belongs_to_them(
    installation: Installation, owner: Client, clock: TestClock
) -> None:
    body = {"subject": "Gone", "tags": ["login"], "attachments": [upload(owner, "gone.txt")]}
    gone = owner.post("/tickets/", json=body).json()["id"]
    owner.post(f"/tickets/{gone}/comments/", json={"content": "Bye"})
    stays = owner.post("/tickets/", json={"subject": "Stays"}).json()["id"]
    assert owner.delete(f"/tickets/{gone}/").status_code == 204
    clock.advance(days=29)
    assert run(installation) == Purged(0, 0)
    clock.advance(days=2)
    assert run(installation) == Purged(0, 1)
    assert owner.post(f"/tickets/{gone}/restore/").status_code == 404
    assert owner.get(f"/tickets/{stays}/").status_code == 200
    assert installation.files.files == {}
    assert owner.get("/tickets/").json()["count"] == 1
    assert owner.post("/tickets/", json={"subject": "Next"}).json()["ticket_number"] == "TKT-003"


def test_what_was_rolled_back_is_still_there(installation: Installation, member: Client, clock: TestClock) -> None:
    orphan = upload(member, "orphan.txt")
    clock.advance(days=2)
    with installation.session() as session:
        assert purge(session, installation.files, orphans_after=timedelta(hours=1)) == Purged(1, 0)
    assert member.get(f"/attachments/{orphan}/download/").content == b"hello"
