"""What goes over the wire about automations."""
