"""`/tickets/{ticket}/comments/`"""

from helpdesk_core.api import Context, Key, Page, Router
from helpdesk_tickets.permissions import COMMENT, VIEW
from helpdesk_tickets.queries.comments import comments, find_comment
from helpdesk_tickets.routes.paths import TicketKey, found
from helpdesk_tickets.schemas.comments import (
    ClassicCommentRead,
    CommentCreate,
    CommentExtras,
    CommentFilters,
    CommentRead,
    CommentUpdate,
)
from helpdesk_tickets.service import comments as service

router = Router("tickets", tag="Comments")

Comment = CommentRead | ClassicCommentRead


@router.get("/{ticket}/comments/", permission=VIEW, include=CommentExtras)
def list_comments(ctx: Context, ticket: TicketKey, query: CommentFilters) -> Page[CommentRead | ClassicCommentRead]:
    """The comments that the caller may read, oldest first."""
    return ctx.page(comments, query, ticket=found(ctx, ticket))


@router.post("/{ticket}/comments/", permission=VIEW, needs=COMMENT, status=201, include=CommentExtras)
def create_comment(ctx: Context, ticket: TicketKey, body: CommentCreate) -> Comment:
    """Comment on a ticket; internal comments are by and for staff."""
    return ctx.one(comments, service.add_comment(ctx.session, ctx.actor, found(ctx, ticket), body))


@router.get("/{ticket}/comments/{comment}/", permission=VIEW, include=CommentExtras)
def retrieve_comment(ctx: Context, ticket: TicketKey, comment: Key) -> Comment:
    """One comment."""
    return ctx.one(comments, find_comment(ctx.session, ctx.viewer, found(ctx, ticket), comment))


@router.put("/{ticket}/comments/{comment}/", permission=VIEW, include=CommentExtras)
def update_comment(ctx: Context, ticket: TicketKey, comment: Key, body: CommentUpdate) -> Comment:
    """Change a comment of one's own; administrators change any."""
    key = find_comment(ctx.session, ctx.viewer, found(ctx, ticket), comment)
    service.update_comment(ctx.session, ctx.actor, key, body)
    return ctx.one(comments, key)


@router.delete("/{ticket}/comments/{comment}/", permission=VIEW)
def delete_comment(ctx: Context, ticket: TicketKey, comment: Key) -> None:
    """Remove a comment of one's own; administrators remove any."""
    key = find_comment(ctx.session, ctx.viewer, found(ctx, ticket), comment)
    service.delete_comment(ctx.session, ctx.actor, key)
