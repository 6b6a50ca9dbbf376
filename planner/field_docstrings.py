"""The docstrings of fields, which Python does not keep: read from the sources of their classes."""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise


def field_docstrings(cls: type) -> dict[str, str]:
    """Return the docstring of each field that has one, read from the sources of the classes.

    A class without a source, made at a prompt, has none.
    """
    texts: dict[str, str] = {}
    for base in reversed(cls.mro()):
        texts |= _docstrings_in(base.__module__).get(base.__qualname__, {})
    return texts


@cache
def _docstrings_in(module: str) -> dict[str, dict[str, str]]:
    """Return the docstrings of fields in a module, by the qualified name of the class."""
    try:
        source = inspect.getsource(sys.modules[module])
    except (OSError, TypeError):
        return {}
    texts: dict[str, dict[str, str]] = {}

    def visit(parent: ast.AST, place: str) -> None:
        for node in ast.iter_child_nodes(parent):
            if isinstance(node, ast.ClassDef):
                texts[place + node.name] = _docstrings_of(node)
                visit(node, f"{place}{node.name}.")
            elif isinstance(node, ast.FunctionDef):
                visit(node, f"{place}{node.name}.<locals>.")

    visit(ast.parse(source), "")
    return texts


def _docstrings_of(declaration: ast.ClassDef) -> dict[str, str]:
    texts = {}
    for node, after in pairwise(declaration.body):
        match node, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                texts[name] = inspect.cleandoc(text)
    return texts
