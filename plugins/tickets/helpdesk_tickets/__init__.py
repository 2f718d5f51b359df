"""Tickets for Helpdesk."""
