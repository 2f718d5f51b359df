"""Helpdesk: a plugin-based, multi-tenant, API-first helpdesk framework.

Plugin authors import from `helpdesk_core.api` and from nowhere else.
"""

__version__ = "0.1.0"
