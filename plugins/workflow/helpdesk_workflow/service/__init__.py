"""What can be done with automations."""
