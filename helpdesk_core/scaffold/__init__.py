"""The scaffold of a plugin: what `helpdesk plugin new` writes."""
