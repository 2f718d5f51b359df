"""Requests to addresses that users give: webhooks, integrations. There is no other way out to such an address.

Whoever may enter a URL could otherwise have this server fetch what only this server can reach: the database's admin
page, the cloud's metadata with its credentials, a printer. See docs/decisions/0019-outbound-requests.md.
"""
