"""Automations: when something happens and conditions hold, do something."""
