"""How large a thing may get before it has to be two: the hard limits; CONTRIBUTING.md has the aims."""

import ast
from collections.abc import Iterator

from tests.architecture import tree

SOURCES = tree.sources(*tree.PACKAGES, tree.ROOT / "examples", tree.ROOT / "tools")
MODULE_LINES = 600
FUNCTION_LINES = 80
NESTING = 4
POSITIONAL_PARAMETERS = 5
CONSTRUCTORS = {"__init__", "__new__"}
BLOCKS = ast.If | ast.For | ast.AsyncFor | ast.While | ast.Try | ast.TryStar | ast.With | ast.AsyncWith | ast.Match
SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


def depth(node: ast.AST) -> int:
    """Return how deep blocks stand in each other below a node; an `elif` is no deeper than its `if`."""
    inner = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, SCOPES):
            continue
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        inner = max(inner, depth(child) - is_elif)
    return inner + isinstance(node, BLOCKS)


def offences() -> Iterator[str]:
    for path in SOURCES:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MODULE_LINES:
            yield f"{tree.at(path, 1)} has {lines} lines, of at most {MODULE_LINES}"
        for function in tree.functions(path):
            yield from (f"{tree.at(path, function.lineno)} {function.name} {excess}" for excess in excesses(function))


def excesses(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    lines = (function.end_lineno or 0) - function.lineno + 1
    if lines > FUNCTION_LINES:
        yield f"has {lines} lines, of at most {FUNCTION_LINES}"
    if depth(function) > NESTING:
        yield f"nests {depth(function)} blocks, of at most {NESTING}"
    positional = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    if function.name not in CONSTRUCTORS and len(set(positional) - {"self", "cls"}) > POSITIONAL_PARAMETERS:
        yield f"takes {len(positional)} positional parameters; make some keyword-only"


def test_modules_and_functions_stay_small():
    too_large = list(offences())
    assert not too_large, "\n".join(too_large)


def test_depth_counts_blocks_and_not_elifs():
    (function,) = ast.parse(
        "def f():\n"
        "    for a in b:\n"
        "        if a: pass\n"
        "        elif c: pass\n"
        "        elif d:\n"
        "            while e: pass\n"
    ).body  # fmt: skip
    assert depth(function) == 3
