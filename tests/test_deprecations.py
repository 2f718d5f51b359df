"""What is on its way out still works, and says who uses it, what replaces it and until when it is there."""

import sys
import types

import pytest

from helpdesk_core import api
from helpdesk_core.deprecations import Deprecated, HelpdeskDeprecationWarning, finder
from tests.packages import entry_point, findable, write_package

OLD = Deprecated("the value", instead="helpdesk_core.api.new", since="0.2", removed_in="0.4")


@pytest.fixture
def published(monkeypatch):
    """A module that plugins import from, with a name that is deprecated."""
    module = types.ModuleType("published")
    module.__getattr__ = finder("published", {"old": OLD})
    monkeypatch.setitem(sys.modules, "published", module)
    return module


@pytest.fixture
def plugin(tmp_path, monkeypatch, published):
    """A plugin that uses it."""
    with findable(tmp_path, monkeypatch) as entries:
        entries.append(entry_point(write_package(tmp_path, "oncall", "from published import old\n")))
        yield "helpdesk_oncall.plugin"


def test_it_works_and_names_plugin_symbol_replacement_and_removal(plugin):
    with pytest.warns(HelpdeskDeprecationWarning) as told:
        module = __import__(plugin).plugin
    assert module.old == "the value"
    (warning,) = (each for each in told if isinstance(each.message, HelpdeskDeprecationWarning))
    sentence = "plugin oncall uses published.old, which helpdesk-core 0.4 no longer has: use helpdesk_core.api.new"
    assert str(warning.message) == sentence
    assert warning.filename.endswith("plugin.py")


def test_code_that_is_no_plugin_is_named_by_its_package(published):
    with pytest.warns(HelpdeskDeprecationWarning, match="plugin tests uses published.old"):
        assert published.old == "the value"


def test_other_names_are_not_there(published):
    with pytest.raises(AttributeError, match="no attribute 'older'"):
        published.older  # noqa: B018 - asking is the test


def test_the_plugin_api_gives_what_is_deprecated(monkeypatch):
    monkeypatch.setitem(api.DEPRECATED, "old", OLD)
    with pytest.warns(HelpdeskDeprecationWarning, match=r"helpdesk_core\.api\.old"):
        assert api.old == "the value"
    with pytest.raises(ImportError):
        from helpdesk_core.api import older  # noqa: F401, PLC0415 - importing is the test
