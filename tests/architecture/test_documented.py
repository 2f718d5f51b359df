"""What plugin authors import is explained where they meet it."""

import ast
import importlib
import inspect

from tests.architecture import tree


def is_explained(thing: object) -> bool:
    # A class without a docstring would show its base's.
    text = (vars(thing).get("__doc__") if inspect.isclass(thing) else inspect.getdoc(thing)) or ""
    generated_by_dataclass = text.startswith(f"{thing.__name__}(")
    return bool(text.strip()) and not generated_by_dataclass


def test_everything_in_the_api_has_a_docstring():
    api = importlib.import_module("helpdesk_core.api")
    things = {name: getattr(api, name) for name in api.__all__}
    ours = {
        name: thing
        for name, thing in things.items()
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and thing.__module__.startswith("helpdesk_core")
    }
    assert not [name for name, thing in ours.items() if not is_explained(thing)]


def test_every_hook_has_a_docstring():
    hooks = list(tree.functions(tree.CORE / "hookspecs.py"))
    assert hooks
    assert not [hook.name for hook in hooks if not ast.get_docstring(hook)]
