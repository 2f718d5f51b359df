"""Webhooks, and calls to the APIs of other systems."""
