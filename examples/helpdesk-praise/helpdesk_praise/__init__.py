"""Lets automations praise people."""
