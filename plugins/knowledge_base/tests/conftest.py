"""What the tests of the knowledge base share."""

import pytest

from plugins.knowledge_base.tests.reader import Reader

CONTENT = "Open the *settings*, choose **Password** and follow the link in the mail."
GERMAN = "Öffnen Sie die *Einstellungen*, wählen Sie **Passwort** und folgen Sie dem Link in der Nachricht."


@pytest.fixture
def write(agent):
    """Write an article as the agent; published and for customers unless stated otherwise."""

    def write(title="How to reset a password", client=agent, **fields):
        body = {"title": title, "content": CONTENT, "status": "published", **fields}
        reply = client.post("/knowledge-base/articles/", json=body)
        assert reply.status_code == 201, reply.text
        return reply.json()

    return write


@pytest.fixture
def make_category(agent):
    """Make a category as the agent."""

    def make(name="Accounts", parent=None, client=agent, **fields):
        body = {"name": name, "parent_category": parent, **fields}
        reply = client.post("/knowledge-base/categories/", json=body)
        assert reply.status_code == 201, reply.text
        return reply.json()

    return make


@pytest.fixture
def article(write):
    """A published article of the agent's."""
    return write(tags=["Password", "login"])


@pytest.fixture
def draft(write):
    """A draft of the agent's, with a word that nothing else has."""
    return write("Zanzibar plans", content="Zanzibar is secret.", status="draft", tags=["zanzibar"])


@pytest.fixture
def internal(write):
    """A published article for colleagues."""
    return write("Escalating quokkas", content="Quokka escalation matrix.", audience="internal", tags=["quokka"])


@pytest.fixture
def archived(write):
    """An article that was put away."""
    return write("Fax machines", content="Walrus fax.", status="archived", tags=["walrus"])


@pytest.fixture
def translate(agent):
    """Translate an article as the agent; into German and published unless stated otherwise."""

    def translate(article, language="de", client=agent, **fields):
        body = {"title": "Passwort zurücksetzen", "content": GERMAN, "status": "published", **fields}
        path = f"/knowledge-base/articles/{article['id']}/translations/"
        reply = client.post(path, json={"language": language, **body})
        assert reply.status_code == 201, reply.text
        return reply.json()

    return translate


@pytest.fixture
def visitor(installation):
    """Somebody without an account, in a browser."""
    return Reader(installation.http)


@pytest.fixture
def read_as(installation):
    """One of the cast in a browser."""
    return lambda name: Reader(installation.http, name)
