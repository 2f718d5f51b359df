"""What every plugin promises."""

from helpdesk_core.testing import PluginConformance


class TestConformance(PluginConformance):
    plugin = "tickets"
