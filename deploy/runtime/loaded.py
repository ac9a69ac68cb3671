"""Lists the files of packages and of the standard library that our code loads: python loaded.py FOLDER... > FILE

Bytecode is made for these alone: a third of what the packages bring is never loaded, and the official Python image
brings no bytecode of its standard library at all, which every start and every health check would compile again.
"""

from __future__ import annotations

import ast
import sys
import sysconfig
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

# What the packages load by a name that they make when they run, and no import statement says.
BY_NAME = (
    "anyio._backends._asyncio",
    "encodings.idna",
    "httpcore._backends.anyio",
    "opentelemetry.context.contextvars_context",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
)


def imports_in(file: Path) -> Iterator[str]:
    """The modules that a source file may load, wherever in it; of `from a import b` both a and a.b."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def load(name: str) -> None:
    """Imports it where it is a module and installed here. Our own packages are not, nor are the tools of tests."""
    try:
        import_module(name)
    except ImportError:
        return


def loaded_files() -> set[Path]:
    """The source files of what is loaded by now, of packages and of the standard library."""
    roots = [sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")]
    files = {Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}
    return {file for file in files if file.suffix == ".py" and any(file.is_relative_to(root) for root in roots)}


def main(*folders: str) -> int:
    """Prints the files, sorted."""
    sources = (file for folder in folders for file in Path(folder).rglob("*.py"))
    for name in sorted({name for file in sources for name in imports_in(file)} | set(BY_NAME)):
        load(name)
    sys.stdout.writelines(f"{file}\n" for file in sorted(loaded_files()))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
