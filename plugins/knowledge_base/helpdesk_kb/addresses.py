"""Where somebody opens an article."""

from urllib.parse import quote

from sqlalchemy.orm import Session

from helpdesk_core.api import Organization, organization_of
from helpdesk_kb.models import Article


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
    path = quote(f"/help/{slug}/articles/{article.slug}/")
    return f"{host}{path}" if article.audience == "public" else f"{host}/account/sign-in/?next={quote(path)}"
