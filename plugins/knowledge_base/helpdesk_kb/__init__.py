"""The knowledge base for Helpdesk."""
