"""The endpoints."""

from helpdesk_core.notifications.routes import inbox, preferences, templates

ROUTERS = (inbox.router, preferences.router, templates.router)
