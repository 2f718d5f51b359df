"""What can be allowed around tickets."""

from helpdesk_core.api import ROLES, Permission

AGENTS = ("agent", "admin")

VIEW = Permission("tickets:ticket:view", "See one's own tickets", ROLES)
VIEW_ALL = Permission("tickets:ticket:view_all", "See all tickets of the organization", AGENTS)
CREATE = Permission("tickets:ticket:create", "Open tickets", ROLES)
CREATE_FOR_OTHERS = Permission("tickets:ticket:create_for_others", "Open tickets for other customers", AGENTS)
UPDATE = Permission("tickets:ticket:update", "Change tickets that one can see", ROLES)
ASSIGN = Permission("tickets:ticket:assign", "Assign tickets, set their category and due date", AGENTS)
REOPEN_CLOSED = Permission("tickets:ticket:reopen_closed", "Reopen closed tickets", AGENTS)
DELETE = Permission("tickets:ticket:delete", "Delete tickets", AGENTS)
RESTORE = Permission("tickets:ticket:restore", "See deleted tickets and restore them", ("admin",))
COMMENT = Permission("tickets:comment:create", "Comment on tickets that one can see", ROLES)
COMMENT_INTERNALLY = Permission("tickets:comment:internal", "Read and write internal comments", ("technician", *AGENTS))
EDIT_COMMENTS = Permission("tickets:comment:edit_all", "Change and delete comments of others", ("admin",))
ATTACH = Permission("tickets:attachment:create", "Upload files", ROLES)
DELETE_ATTACHMENTS = Permission("tickets:attachment:delete_all", "Delete files of others", ("admin",))
VIEW_CATALOGUE = Permission("tickets:catalogue:view", "See categories and tags", ROLES)
CREATE_TAGS = Permission("tickets:tag:create", "Create tags", ("technician", *AGENTS))
MANAGE_CATALOGUE = Permission("tickets:catalogue:manage", "Create and change categories and tags", AGENTS)
USE_TEMPLATES = Permission("tickets:template:use", "See and use response templates", ("technician", *AGENTS))
WRITE_TEMPLATES = Permission("tickets:template:write", "Write response templates", ("technician", *AGENTS))
EDIT_TEMPLATES = Permission("tickets:template:edit_all", "Change response templates of others", ("admin",))
SAVE_FILTERS = Permission("tickets:filter:save", "Save ticket filters", ROLES)
SHARE_FILTERS = Permission("tickets:filter:share", "See and share public filters", ("technician", *AGENTS))
VIEW_STATISTICS = Permission("tickets:statistics:view", "See statistics of the tickets that one can see", ROLES)
VIEW_AGENT_STATISTICS = Permission("tickets:statistics:view_agents", "See statistics by agent", AGENTS)
VIEW_SLA = Permission("tickets:sla:view", "See SLA policies", ("technician", *AGENTS))
MANAGE_SLA = Permission("tickets:sla:manage", "Change SLA policies", ("admin",))

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Permission))
