"""What can be allowed around the knowledge base."""

from helpdesk_core.api import ROLES, STAFF, Permission

AGENTS = ("agent", "admin")

VIEW = Permission("kb:article:view", "Read published articles", ROLES)
VIEW_INTERNAL = Permission("kb:article:view_internal", "Read published articles that are for colleagues only", STAFF)
VIEW_UNPUBLISHED = Permission("kb:article:view_unpublished", "Read drafts, archived articles and versions", AGENTS)
WRITE = Permission("kb:article:write", "Write articles and change those that are not published", AGENTS)
PUBLISH = Permission("kb:article:publish", "Publish, take back and archive articles, change published ones", AGENTS)
DELETE = Permission("kb:article:delete", "Delete articles for good", AGENTS)
VOTE = Permission("kb:article:vote", "Say whether an article was helpful", ROLES)
MANAGE_CATEGORIES = Permission("kb:category:manage", "Create, change, move and delete categories", AGENTS)
VIEW_SEARCHES = Permission("kb:search:view_misses", "See what people search for, and what they do not find", AGENTS)
LINK = Permission("kb:article:link", "Link articles to tickets, send them, say that they solved one", STAFF)

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Permission))
