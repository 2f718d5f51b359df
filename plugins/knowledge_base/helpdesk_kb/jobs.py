"""What happens on a schedule."""

from helpdesk_core.api import JobContext, job
from helpdesk_kb.service.publication import announce_reviews, publish_due, something_is_due
from helpdesk_kb.service.searches import forget_misses
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
    """Forget who has read what on days that are over, and what nobody has searched for lately."""
    forget_views(ctx.session)
    forget_misses(ctx.session)


ALL = (keep_dates, forget)
