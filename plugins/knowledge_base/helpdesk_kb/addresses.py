"""At which addresses of the help centre an article is found in which language.

Each translation has an address of its own. The one of the article itself leads readers to the language that suits them;
with `?language=` it stays in its own.
"""

from collections.abc import Sequence
from urllib.parse import quote

from sqlalchemy.orm import Session

from helpdesk_core.api import Organization, organization_of
from helpdesk_kb.models import Article
from helpdesk_kb.queries.languages import Edition, choose


def path_of(home: str, edition: Edition) -> str:
    """Return the path of an edition, below the first page of the help centre."""
    return f"{home}articles/{edition.slug}/"


def lasting_path(home: str, edition: Edition, editions: Sequence[Edition]) -> str:
    """Return the path at which everybody finds an edition, whatever they wish to read: what search engines keep."""
    path = path_of(home, edition)
    return path if edition.translation or len(editions) == 1 else f"{path}?language={edition.language}"


def path_for(home: str, edition: Edition, editions: Sequence[Edition], wished: Sequence[str]) -> str:
    """Return the shortest path at which a reader who wishes for these languages finds an edition."""
    led_to = choose([each for each in editions if each.is_published], wished)
    return path_of(home, edition) if led_to is edition else lasting_path(home, edition, editions)


def alternates(home: str, editions: Sequence[Edition]) -> list[tuple[str, str]]:
    """Return language and path of what search engines are told of; `x-default` is where the reader's choice counts."""
    if len(editions) == 1:
        return []
    told = [(each.language, quoted(lasting_path(home, each, editions))) for each in editions]
    return [*told, ("x-default", quoted(path_of(home, editions[0])))]


def quoted(path: str) -> str:
    """Return a path of ours as it is written in documents for programs."""
    return quote(path, safe="/?=")


def address_of(session: Session, host: str, article: Article) -> str:
    """Return the address of an article in the help centre; one that is not public leads there by the sign-in page.

    That page takes readers who are signed in straight on. Without it the help centre would tell all others that there
    is no such article.

    Args:
        session: of the organisation.
        host: scheme and host of addresses.
        article: which one.
    """
    slug = session.get_one(Organization, organization_of(session)).slug
    path = quoted(path_of(f"/help/{slug}/", Edition(article.language, article.slug)))
    return f"{host}{path}" if article.audience == "public" else f"{host}/account/sign-in/?next={quote(path)}"
