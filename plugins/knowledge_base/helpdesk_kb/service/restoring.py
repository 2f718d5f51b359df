"""Bringing back what an article, or a translation of it, was before."""

from sqlalchemy.orm import Session

from helpdesk_core.api import Actor
from helpdesk_kb.service.articles import restore_article
from helpdesk_kb.service.translations import restore_translation
from helpdesk_kb.service.versions import version_of


def restore_version(session: Session, actor: Actor, article_id: int, version_id: int) -> None:
    """Give what a version is of, the article or a translation, its title and content again, as the newest.

    Raises:
        NothingChanged: it has these already.
        PermissionDenied: it is published and the actor may not change it.
    """
    version = version_of(session, article_id, version_id)
    if version.language:
        restore_translation(session, actor, version)
    else:
        restore_article(session, actor, version)
