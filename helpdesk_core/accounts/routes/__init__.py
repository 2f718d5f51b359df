"""The endpoints of accounts."""

from helpdesk_core.accounts.routes import account, logins, organizations, users

ROUTERS = [logins.auth, logins.router, account.router, users.router, organizations.router]
