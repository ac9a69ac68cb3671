"""Holds functions to 70 lines and files to 400, tables exempt, and names functions over 40 lines as a warning."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 70
FUNCTION_WARNING = 40
EXEMPT_FOLDERS = frozenset({"rules", "tables"})


def exempt(path: Path) -> bool:
    """Pure tables may be as long as they are: `table*.py`, `flow.py`-like rows live in tables/ and rules/."""
    return path.name.startswith("table") or bool(EXEMPT_FOLDERS & set(path.parts))


def tracked_files() -> list[Path]:
    """Python files that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return [Path(name) for name in listed if Path(name).exists()]


def functions_of(tree: ast.AST) -> list[tuple[str, int, int]]:
    """(name, line, length) of every function, its decorators and docstring included."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    return [(node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1) for node in found]


def main() -> int:
    """Prints what is too long; 1 when anything is."""
    too_long = 0
    for path in tracked_files():
        text = path.read_text()
        lines = text.count("\n")
        if lines > FILE_LINES and not exempt(path):
            print(f"{path}: {lines} lines, {FILE_LINES} at most: make it a folder of the same name")
            too_long += 1
        for name, line, length in functions_of(ast.parse(text)):
            if length > FUNCTION_LINES:
                print(f"{path}:{line}: {name} has {length} lines, {FUNCTION_LINES} at most")
                too_long += 1
            elif length > FUNCTION_WARNING:
                print(f"{path}:{line}: warning: {name} has {length} lines")
    return 1 if too_long else 0


if __name__ == "__main__":
    sys.exit(main())
