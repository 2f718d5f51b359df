"""Uninstalling a plugin: what it has stored is exported, then nothing of it is left."""

from helpdesk_core.uninstalling.export import Inventory, export, inventory
from helpdesk_core.uninstalling.names import names_of
from helpdesk_core.uninstalling.removal import Removal, needed_by, release, remove

__all__ = ["Inventory", "Removal", "export", "inventory", "names_of", "needed_by", "release", "remove"]
