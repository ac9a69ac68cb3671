"""Every service, with everything that can be wrong around it: one line that names it, exit 2, nothing half started."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from chassis.migrations import migrate
from chassis.revision import SERVICES, history_of, installed_services
from platform_fixture import ROLE_PASSWORD, Platform
from psycopg import sql

sys.path.insert(0, str(Path(__file__).parent))  # refused_start.py lies here

from refused_start import PATIENT, SECRET, check_refusal, package_of, refusing_postgres, service_of, start

ALL = tuple(name.replace("_", "-") for name in SERVICES)
WITH_SCHEMA = tuple(name.replace("_", "-") for name in installed_services())
NOWHERE = "127.0.0.1:1"
NONSENSE = f"{PATIENT}, 1980\n[[x"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(platform: Platform, tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """What a service needs to start: nothing is wrong with it. NATS is away, which keeps nobody from starting."""

    def of(name: str) -> dict[str, str]:
        return {
            "RCM_POSTGRES_URL": platform.url_for(name),
            "RCM_NATS_URL": f"nats://{NOWHERE}",
            "RCM_CLEARINGHOUSE_URL": f"http://{NOWHERE}",
            "RCM_ADDRESS_ELIGIBILITY": NOWHERE,
            "RCM_ADDRESS_PRIOR_AUTH": NOWHERE,
            "RCM_DATA_DIR": str(tmp_path / "data"),
            "RCM_RUN_DIR": str(tmp_path / "run"),
            "RCM_METRICS": "off",
            "RCM_TRACING": "off",
        }

    return of


Settings = Callable[[str], dict[str, str]]


def _refused(name: str, given: Mapping[str, str], *said: str) -> str:
    line = start(name, given)
    check_refusal(line, given, name)
    for word in said:
        assert word in line, line
    return line


@pytest.mark.parametrize("name", ALL)
def test_with_nothing_wrong_it_serves_and_waits_for_the_broker(settings: Settings, name: str) -> None:
    assert start(name, settings(name)) == "SERVING"


@pytest.mark.parametrize("name", ALL)
def test_what_is_not_set_is_named(settings: Settings, name: str) -> None:
    fields = service_of(name).settings.model_fields
    required = [f"RCM_{field.upper()}" for field, info in fields.items() if info.is_required()]
    assert required
    for variable in required:
        given = settings(name)
        del given[variable]
        _refused(name, given, f"{variable} is not set: set it (")


# What every service can be told wrong, and the setting that is named for it.
WRONG = {
    "RCM_GRPC_PORT": "70000",
    "RCM_METRICS_PORT": SECRET,
    "RCM_LOG_LEVEL": SECRET,
    "RCM_TENANT": PATIENT,
    "RCM_OTLP_ENDPOINT": f"collector:{SECRET}",
    "RCM_CONNECT_TIMEOUT_S": "-1",
    "RCM_NATS_REPLICAS": "2",
    "RCM_ADDRESS_JOURNEY": SECRET,
    "RCM_LISTEN_HOST": "192.0.2.7",
}
WRONG_BY_KIND = {"postgres_url": f"mysql://somebody:{SECRET}@host/x", "nats_url": f"http://somebody:{SECRET}@host"}


@pytest.mark.parametrize("name", ALL)
def test_what_is_set_wrong_is_named_and_its_value_is_not(settings: Settings, name: str) -> None:
    fields = service_of(name).settings.model_fields
    wrong = dict(WRONG)
    for field, info in fields.items():
        if str(info.annotation).startswith(("dict", "tuple")) and field != "addresses":
            wrong[f"RCM_{field.upper()}"] = f'{{"{SECRET}'
    if name in WITH_SCHEMA:
        wrong |= {f"RCM_{field.upper()}": value for field, value in WRONG_BY_KIND.items()}
    if "clearinghouse_url" in fields:
        wrong["RCM_CLEARINGHOUSE_URL"] = f"ftp://{SECRET}@host"
    for variable, value in wrong.items():
        given = settings(name) | {"RCM_GRPC_PORT": "0", variable: value}
        given |= {"RCM_GRPC_PORT": str(_free_port())} if variable == "RCM_LISTEN_HOST" else {}
        _refused(name, given, variable)


SAYS = {
    "28P01": "refuses the password (InvalidPasswordError): check RCM_POSTGRES_URL",
    "28000": "knows no such login (InvalidAuthorizationSpecificationError): check RCM_POSTGRES_URL",
    "3D000": "knows no such database (InvalidCatalogNameError): check RCM_POSTGRES_URL",
    "42501": "refuses the service (InsufficientPrivilegeError): run `throughline migrate`",
    "53300": "did not answer within 0.2 s (TooManyConnectionsError): start it, or check RCM_POSTGRES_URL",
    "57P03": "did not answer within 0.2 s (CannotConnectNowError): start it, or check RCM_POSTGRES_URL",
    "": "did not answer within 0.2 s (TimeoutError): start it, or check RCM_POSTGRES_URL",
}


@pytest.mark.parametrize("name", WITH_SCHEMA)
def test_a_database_that_does_not_let_it_in_is_named(settings: Settings, name: str) -> None:
    for sqlstate, said in SAYS.items():
        with refusing_postgres(sqlstate) as url:
            given = settings(name) | {"RCM_POSTGRES_URL": url, "RCM_CONNECT_TIMEOUT_S": "0.2"}
            _refused(name, given | {"RCM_GRPC_PORT": str(_free_port())}, said)
    gone = settings(name) | {"RCM_POSTGRES_URL": f"postgresql://a:{SECRET}@{NOWHERE}/x", "RCM_CONNECT_TIMEOUT_S": "0.1"}
    _refused(name, gone, "did not answer within 0.1 s (ConnectionRefusedError)")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A database of its own in the same server."""

    owner_url: str
    name: str

    def settings(self, given: Mapping[str, str]) -> dict[str, str]:
        url = urlunsplit(urlsplit(given["RCM_POSTGRES_URL"])._replace(path=f"/{self.name}"))
        return {**given, "RCM_POSTGRES_URL": url}


@pytest.fixture(scope="module")
def elsewhere(platform: Platform) -> Iterator[Elsewhere]:
    name = f"starts_{uuid4().hex[:8]}"
    with psycopg.connect(platform.owner_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield Elsewhere(urlunsplit(urlsplit(platform.owner_url)._replace(path=f"/{name}")), name)
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.mark.parametrize("name", WITH_SCHEMA)
def test_a_schema_that_is_not_its_own_is_named(settings: Settings, elsewhere: Elsewhere, name: str) -> None:
    given, schema = elsewhere.settings(settings(name)), name.replace("-", "_")
    _refused(name, given, f"there is no schema {schema} in the database: run `throughline migrate`")
    first, *later = history_of(schema)
    migrate(elsewhere.owner_url, [schema], ROLE_PASSWORD, to=first.revision)
    if later:
        _refused(name, given, f"{schema} is at revision 0001 and {name} needs", "run `throughline migrate`")
    with psycopg.connect(elsewhere.owner_url) as connection:
        connection.execute(f"update {schema}.schema_serves set revision = '9999'")
        connection.execute(f"update {schema}.alembic_version set version_num = '9999'")
    _refused(name, given, "is at revision 9999, which no longer serves", "run a release that it serves (9999)")


@pytest.mark.parametrize("name", ALL)
def test_a_folder_that_cannot_be_used_is_named(settings: Settings, tmp_path: Path, site: Path, name: str) -> None:
    file = tmp_path / "file"
    file.write_text("")
    under = str(file / "below")
    written = {"RCM_RUN_DIR": under, "RCM_TRACES_DIR": under} | ({"RCM_DATA_DIR": under} if name == "simulator" else {})
    for variable, folder in written.items():
        _refused(name, settings(name) | {variable: folder}, f"{variable} is a folder that cannot be written to", folder)
    for folder in (str(file), str(tmp_path / "nowhere")):
        _refused(
            name, settings(name) | {"RCM_SITE_DIR": folder}, "RCM_SITE_DIR is a folder that cannot be read", folder
        )
        _refused(name, settings(name) | {"RCM_SECRETS_DIR": folder}, "RCM_SECRETS_DIR is no folder", folder)
    (site / name).mkdir()
    (site / name / "payers.toml").symlink_to("nowhere")
    _refused(
        name, settings(name) | {"RCM_SITE_DIR": str(site)}, "RCM_SITE_DIR holds what cannot be read", "payers.toml"
    )
    (tmp_path / "secrets" / "rcm_tenant").mkdir(parents=True)
    _refused(name, settings(name) | {"RCM_SECRETS_DIR": str(tmp_path / "secrets")}, "rcm_tenant cannot be read")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize("name", ALL)
def test_a_port_that_is_taken_is_named(settings: Settings, name: str) -> None:
    variables = ("RCM_GRPC_PORT", "RCM_HTTP_PORT", "RCM_METRICS_PORT")
    for variable in variables:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            line = start(name, settings(name) | {variable: port})
        check_refusal(line, settings(name), name)
        assert f"{variable} is {port}, which is taken: give another" in line
    twice = str(_free_port())
    given = settings(name) | {"RCM_GRPC_PORT": twice, "RCM_METRICS_PORT": twice}
    _refused(name, given, f"RCM_METRICS_PORT is {twice}, which is taken")


def _site_files(name: str) -> list[str]:
    """The files that a site may put in the place of the shipped ones."""
    if name == "journey":
        return ["costs.toml"]
    folder = package_of(name) / "rules" / ("sources" if name == "interface-engine" else "")
    kinds = (".toml", ".csv", ".yaml")
    return sorted(file.name for file in folder.glob("*.*") if file.suffix in kinds and "case" not in file.name)


@pytest.mark.parametrize("name", ALL)
def test_a_file_of_the_site_that_is_wrong_is_named(settings: Settings, site: Path, name: str) -> None:
    files = _site_files(name)
    assert files
    folder = site / name / ("sources" if name == "interface-engine" else "")
    folder.mkdir(parents=True)
    given = settings(name) | {"RCM_SITE_DIR": str(site), "RCM_GRPC_PORT": str(_free_port())}
    for file in files:
        (folder / file).write_text(NONSENSE)
        _refused(name, given, file)
        (folder / file).write_bytes(b"\xff\xfe\0x")
        _refused(name, given, file)
        (folder / file).unlink()


def test_a_table_that_is_not_installed_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(package: str) -> list[Any]:
        raise PackageNotFoundError(package)

    monkeypatch.setattr("coding.rules.icd10cm.files", nothing)
    line = _refused("coding", settings("coding"), "simple-icd-10-cm", "no list of ICD-10-CM codes")
    assert line.endswith("install the service again")


@pytest.mark.parametrize("variable", ["RCM_ADDRESS_ELIGIBILITY", "RCM_ADDRESS_PRIOR_AUTH"])
def test_a_neighbour_without_an_address_is_named(settings: Settings, variable: str) -> None:
    given = settings("claims-gateway")
    del given[variable]
    _refused("claims-gateway", given, f"{variable} is not set: give the address")


@pytest.mark.parametrize("name", ALL)
def test_the_process_ends_with_two_and_says_nothing_else(settings: Settings, tmp_path: Path, name: str) -> None:
    site = tmp_path / "nowhere"
    ours = settings(name) | {"RCM_SITE_DIR": str(site), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    theirs = {key: value for key, value in os.environ.items() if not key.startswith("RCM_")}
    command = [sys.executable, "-m", name.replace("-", "_")]
    ended = subprocess.run(command, env=theirs | ours, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    check_refusal(line, ours, name)
    assert "RCM_SITE_DIR" in line


def test_the_line_comes_after_json_lines_alone(settings: Settings) -> None:
    """While it waits for Postgres it says so, once for each reason, as every line of the log is said."""
    ours = settings("coding") | {"RCM_POSTGRES_URL": f"postgresql://a:{SECRET}@{NOWHERE}/x"}
    ours |= {"RCM_CONNECT_TIMEOUT_S": "2", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    theirs = {key: value for key, value in os.environ.items() if not key.startswith("RCM_")}
    command = [sys.executable, "-m", "coding"]
    ended = subprocess.run(command, env=theirs | ours, capture_output=True, text=True, timeout=120, check=False)
    *before, last = ended.stderr.splitlines()
    assert [json.loads(line)["event"] for line in before] == ["waiting for postgres"]
    assert ended.returncode == 2
    check_refusal(last, ours, "coding")
