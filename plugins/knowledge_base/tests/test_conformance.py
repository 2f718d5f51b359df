"""What every plugin promises."""

from typing import ClassVar

from helpdesk_core.testing import PluginConformance


class TestConformance(PluginConformance):
    plugin = "kb"
    exceptions: ClassVar = {"manifest_and_distribution_agree": "helpdesk-knowledge-base says more than helpdesk-kb"}
