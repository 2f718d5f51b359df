"""What happens on a schedule."""

from helpdesk_core.api import Contributions, JobContext, job
from helpdesk_kb.desk import HOOK
from helpdesk_kb.service.links import forget_links
from helpdesk_kb.service.publication import announce_reviews, publish_due, something_is_due
from helpdesk_kb.service.searches import forget_misses, forget_searches
from helpdesk_kb.service.views import forget_views


@job(schedule="*/5 * * * *", per="organization")
def keep_dates(ctx: JobContext) -> None:
    """Publish drafts whose time has come, and announce articles that are to be looked at again."""
    with ctx.reading() as session:
        if not something_is_due(session):
            return
    publish_due(ctx.session)
    announce_reviews(ctx.session)


@job(schedule="25 3 * * *", per="organization")
def forget(ctx: JobContext) -> None:
    """Forget who has read what on days that are over, searches of long ago, and links to tickets that are gone."""
    forget_views(ctx.session)
    forget_misses(ctx.session)
    forget_searches(ctx.session)
    for desk in ctx.get(Contributions).of(HOOK, ctx.session)[:1]:
        forget_links(ctx.session, desk)


ALL = (keep_dates, forget)
