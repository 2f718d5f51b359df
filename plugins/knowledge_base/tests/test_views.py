"""Who reads an article counts once a day."""

import threading

from sqlalchemy import func, select

from helpdesk_kb.models import ArticleView

ARTICLES = "/knowledge-base/articles/"


def read(client, article):
    return client.get(f"{ARTICLES}{article['id']}/").json()["views"]


def listed(client):
    return client.get(ARTICLES).json()["results"][0]["views"]


def test_the_author_does_not_count(agent, article):
    assert [read(agent, article) for _ in range(2)] == [0, 0]


def test_each_reader_counts_once_a_day(member, technician, owner, article, clock):
    assert [read(member, article) for _ in range(3)] == [1, 1, 1]
    assert read(technician, article) == 2
    assert read(owner, article) == 3
    clock.advance(days=1)
    assert read(member, article) == 4


def test_lists_searches_and_refused_requests_do_not_count(member, outsider, article):
    assert listed(member) == 0
    member.get(ARTICLES, params={"search": "password"})
    member.get(f"{ARTICLES}search/", params={"q": "password"})
    member.raw("HEAD", f"/api/v1{ARTICLES}{article['id']}/")
    outsider.get(f"{ARTICLES}{article['id']}/")
    assert listed(member) == 0


def test_readers_at_once_are_all_counted(installation, article):
    readers = [installation.client(name) for name in ("owner", "technician", "member", "second_member")]
    assert all(reader.token for reader in readers)
    start = threading.Barrier(len(readers) * 2)

    def go(reader):
        start.wait()
        read(reader, article)

    threads = [threading.Thread(target=go, args=(reader,)) for reader in readers * 2]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert listed(readers[0]) == len(readers)


def test_reading_again_writes_nothing(installation, member, article):
    read(member, article)
    with installation.statements() as seen:
        read(member, article)
    assert not [statement for statement in seen if statement.lstrip().upper().startswith(("INSERT", "UPDATE"))]


def test_who_has_read_what_is_forgotten(installation, member, article, clock, run_schedules):
    kept = []
    read(member, article)
    for days in (0, 1, 2):
        clock.advance(days=days)
        run_schedules()
        with installation.session(member.organization_id) as session:
            kept.append(session.scalar(select(func.count()).select_from(ArticleView)))
    assert kept == [1, 1, 0]
    assert listed(member) == 1
