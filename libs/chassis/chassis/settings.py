"""Settings every service has, read once from the environment and refused in one line when one is missing or wrong."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, NoReturn, TypeVar

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnusableSource

PREFIX = "RCM_"
ADDRESS_PREFIX = "RCM_ADDRESS_"
SECRETS = "RCM_SECRETS_DIR"
_NATS = r"(nats|tls|ws|wss)://[^\s,]+"
_ADDRESS = re.compile(r"(dns:///|ipv4:|ipv6:)?[^\s/]+:[0-9]{1,5}")
_FIELD = re.compile(r'field "(\w+)"')


class SettingsError(Exception):
    """A setting is missing or wrong. The text names the setting and the next step, never the value."""


def addresses_from(environment: Mapping[str, str]) -> dict[str, str]:
    """RCM_ADDRESS_CLAIMS_GATEWAY=host:port -> {"claims-gateway": "host:port"}."""
    found = {name: value for name, value in environment.items() if name.startswith(ADDRESS_PREFIX) and value}
    return {name.removeprefix(ADDRESS_PREFIX).lower().replace("_", "-"): value for name, value in found.items()}


def _own_addresses() -> dict[str, str]:
    return addresses_from(os.environ)


class ServiceSettings(BaseSettings):
    """What every service can be told: by the variable RCM_<NAME> or the file <RCM_SECRETS_DIR>/rcm_<name>."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore")

    postgres_url: str = Field(
        pattern=r"^postgres(ql)?://",
        description="Postgres of this service, as its login role: postgresql://eligibility@host/throughline",
        repr=False,
    )
    nats_url: str = Field(
        pattern=rf"^{_NATS}(,{_NATS})*$", description="NATS with JetStream: nats://host:4222", repr=False
    )
    nats_replicas: Annotated[Literal[1, 3, 5], BeforeValidator(int)] = Field(
        1, description="Servers of a NATS cluster that keep each stream: 1, 3 or 5"
    )
    grpc_port: int = Field(0, ge=0, le=65535, description="Port for gRPC; 0 takes a free one")
    http_port: int = Field(0, ge=0, le=65535, description="Port for HTTP; 0 takes a free one")
    listen_host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 in a container")
    tls_dir: Path | None = Field(
        None,
        description="Folder with tls.crt, tls.key and ca.crt: gRPC and NATS by mutual TLS; without it in the clear",
    )
    health_port: int = Field(
        0, ge=0, le=65535, description="Port for gRPC health in the clear, for probes; 0: none, with TLS a free one"
    )
    run_dir: Path | None = Field(None, description="Folder for <service>.json with pid and ports, written when ready")
    site_dir: Path | None = Field(None, description="Folder of the site's own rules, prices and feeds")
    otlp_endpoint: str = Field(
        "",
        pattern=r"^(https?://[^\s/]+\S*)?$",
        description="OTLP over HTTP: http://collector:4318; empty sends nothing",
    )
    traces_dir: Path | None = Field(None, description="Folder for <service>.jsonl with finished spans, for one machine")
    tracing: Literal["on", "off"] = Field("on", description="off switches spans off altogether")
    trace_ratio: float = Field(
        1.0, ge=0, le=1, description="Share of bursts whose spans are kept; spans of journeys are always kept"
    )
    metrics: Literal["on", "off"] = Field("on", description="off switches metrics off, and their port")
    metrics_port: int = Field(0, ge=0, le=65535, description="Port for GET /metrics and /healthz; 0 takes a free one")
    sql_spans: Literal["transaction", "statement"] = Field(
        "transaction", description="One span for each database transaction, or one for each statement (costs more)"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged")
    tenant: str = Field("demo", pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="Tenant of entries that carry none")
    max_body_bytes: int = Field(8_000_000, ge=1, description="Largest HTTP body that is read, in bytes")
    shutdown_grace_s: float = Field(10.0, ge=0, description="Seconds that calls in progress get when stopping")
    unready_wait_s: float = Field(0.0, ge=0, description="Seconds between NOT_SERVING and stopping, for load balancers")
    connect_timeout_s: float = Field(60.0, gt=0, description="Seconds to wait at start for Postgres and NATS")
    pool_max: int = Field(10, ge=2, description="Postgres connections at most")
    addresses: dict[str, str] = Field(
        default_factory=_own_addresses,
        description="gRPC addresses of the other services, each by its own variable RCM_ADDRESS_<SERVICE>=host:port",
    )

    def site_folder(self, service: str) -> Path | None:
        """Where the site keeps its own files for a service; None when there is no folder of the site."""
        return self.site_dir / service if self.site_dir is not None else None

    def address_of(self, service: str) -> str:
        """Address of another service by its kebab-case name. SettingsError when there is none."""
        address = self.addresses.get(service)
        if address is None:
            variable = ADDRESS_PREFIX + service.upper().replace("-", "_")
            raise SettingsError(f"{variable} is not set: give the address of {service} as host:port")
        return address


S = TypeVar("S", bound=ServiceSettings)


def _problem(settings: type[ServiceSettings], error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    field = settings.model_fields.get(name)
    wanted = field.description if field is not None else first["type"]
    verb = "is not set" if first["type"] == "missing" else f"is wrong ({first['type']})"
    return f"{PREFIX}{name.upper()} {verb}: set it ({wanted})"


def _unparsed(settings: type[ServiceSettings], error: Exception) -> str:
    """A list or a table that is no JSON: the error names the field, its cause quotes the value."""
    found = _FIELD.search(str(error))
    name = found[1] if found else ""
    field = settings.model_fields.get(name)
    return f"{PREFIX}{name.upper()} is wrong (json): set it ({field.description if field is not None else 'as JSON'})"


def _check_secrets(settings: type[ServiceSettings], folder: Path) -> None:
    """The library that reads them would only warn, and go on without."""
    if not folder.is_dir():
        raise SettingsError(f"{SECRETS} is no folder: {folder}: name the folder with the files of secrets, or unset it")
    for name in settings.model_fields:
        file = folder / f"{PREFIX}{name}".lower()
        try:
            if os.path.lexists(file):
                file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"{file} cannot be read as a text ({type(error).__name__}): mend the file in {SECRETS}, or remove it"
            ) from None


def _check_addresses(addresses: Mapping[str, str]) -> None:
    for service, address in addresses.items():
        if not _ADDRESS.fullmatch(address):
            variable = ADDRESS_PREFIX + service.upper().replace("-", "_")
            raise SettingsError(f"{variable} is wrong: give the address of {service} as host:port")


def load_settings(settings: type[S]) -> S:
    """Read and check the settings. SettingsError with one line that names the first wrong one and the next step."""
    secrets = os.environ.get(SECRETS)
    if secrets:
        _check_secrets(settings, Path(secrets))
    try:
        loaded = settings(_secrets_dir=secrets) if secrets else settings()
    except ValidationError as error:
        raise SettingsError(_problem(settings, error)) from None
    except UnusableSource as error:
        raise SettingsError(_unparsed(settings, error)) from None
    _check_addresses(loaded.addresses)
    return loaded


def describe_settings(settings: type[ServiceSettings]) -> str:
    """One line per setting: variable, default, meaning. What `python -m <service> --help-settings` prints."""
    rows = []
    for name, field in settings.model_fields.items():
        variable = f"{ADDRESS_PREFIX}<SERVICE>" if name == "addresses" else PREFIX + name.upper()
        default = "required" if field.is_required() else f"default {field.get_default()!s}"
        rows.append(f"{variable:<32} {default if name != 'addresses' else 'no default':<24} {field.description or ''}")
    return "\n".join(rows)


def refuse_to_start(reason: str) -> NoReturn:
    """The one way a service says that it cannot start: a single line on stderr, exit 2."""
    sys.stderr.write(f"cannot start: {reason}\n")
    raise SystemExit(2)
