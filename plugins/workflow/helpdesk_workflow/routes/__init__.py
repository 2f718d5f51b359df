"""Endpoints of automations."""
