"""The scaffold of a plugin: what `helpdesk plugin new` writes."""

from helpdesk_core.scaffold.names import RefusedName, check_name
from helpdesk_core.scaffold.writing import FEATURES, write_plugin

__all__ = ["FEATURES", "RefusedName", "check_name", "write_plugin"]
