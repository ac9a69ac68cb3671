"""Compiles the .proto files when the package is built, so that no generated code is kept in git."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

HERE = Path(__file__).parent


def compile_protos() -> None:
    """Writes *_pb2.py, *_pb2_grpc.py and *_pb2.pyi beside every .proto file."""
    import grpc_tools
    from grpc_tools import protoc

    well_known = Path(grpc_tools.__file__).parent / "_proto"
    sources = sorted(str(path.relative_to(HERE)) for path in HERE.glob("rcm/**/*.proto"))
    outputs = [f"--{kind}_out={HERE}" for kind in ("python", "pyi", "grpc_python")]
    status = protoc.main(["protoc", f"-I{HERE}", f"-I{well_known}", *outputs, *sources])
    if status:
        raise SystemExit(f"protoc failed with status {status}")


class BuildWithProtos(build_py):
    def run(self) -> None:
        compile_protos()
        super().run()


class EditableWithProtos(editable_wheel):
    def run(self) -> None:
        compile_protos()
        super().run()


setup(cmdclass={"build_py": BuildWithProtos, "editable_wheel": EditableWithProtos})
