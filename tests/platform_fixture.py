"""A real Postgres and a real NATS for the tests, from containers where Docker answers and embedded elsewhere.

RCM_TEST_CONTAINERS chooses: `auto` (default), `never`, or `always` (then a Docker that is absent is an error).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from chassis.embedded import EmbeddedNats, EmbeddedPostgres
from chassis.migrations import installed_services, migrate

POSTGRES_IMAGE = "postgres:17-bookworm"
NATS_IMAGE = "nats:2.12-alpine"
ROLE_PASSWORD = "only-in-tests"


@dataclass(frozen=True, slots=True)
class Platform:
    """Where the servers of this session are. `login_url` is a URL with {user} in the place of the login."""

    owner_url: str
    login_url: str
    nats_url: str
    migrated: set[str] = field(default_factory=set)

    def url_for(self, service: str) -> str:
        """Connection of a service's login role; its schema is made when the session first asks for it.

        `service` in kebab-case or snake_case. One that brings no migrations just gets its URL.
        """
        schema = service.replace("-", "_")
        if schema in installed_services() and schema not in self.migrated:
            migrate(self.owner_url, [schema], ROLE_PASSWORD)
            self.migrated.add(schema)
        return self.login_url.format(user=schema)


def docker_answers() -> bool:
    """Whether a Docker daemon is there to be used."""
    import docker

    try:
        docker.from_env(timeout=3).ping()
    except docker.errors.DockerException:
        return False
    return True


def use_containers() -> bool:
    """Containers or embedded servers, by RCM_TEST_CONTAINERS."""
    choice = os.environ.get("RCM_TEST_CONTAINERS", "auto")
    return choice == "always" or (choice == "auto" and docker_answers())


@contextmanager
def embedded_platform() -> Iterator[Platform]:
    """Embedded servers in a folder of their own, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="rcm-"))
    folder.chmod(0o711)  # the database server may run as another user
    try:
        with EmbeddedPostgres(folder / "pg", durable=False) as postgres, EmbeddedNats(folder / "nats") as nats:
            login_url = postgres.url_for("{user}")
            yield Platform(postgres.owner_url, login_url, nats.url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def container_platform() -> Iterator[Platform]:
    """The servers that the compose file uses, from their images."""
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.waiting_utils import wait_for_logs
    from testcontainers.postgres import PostgresContainer

    postgres = PostgresContainer(POSTGRES_IMAGE, dbname="throughline", driver=None).with_command(
        "postgres -c max_connections=300 -c fsync=off"
    )
    nats = DockerContainer(NATS_IMAGE).with_command("-js").with_exposed_ports(4222)
    with postgres, nats:
        wait_for_logs(nats, "Server is ready", timeout=60)
        owner_url = postgres.get_connection_url()
        nats_url = f"nats://{nats.get_container_host_ip()}:{nats.get_exposed_port(4222)}"
        yield Platform(owner_url, _login_url(owner_url), nats_url)


def _login_url(owner_url: str) -> str:
    parts = urlsplit(owner_url)
    return urlunsplit(parts._replace(netloc=f"{{user}}:{quote(ROLE_PASSWORD)}@{parts.hostname}:{parts.port}"))


@contextmanager
def running_platform() -> Iterator[Platform]:
    """The servers for one session of tests."""
    with container_platform() if use_containers() else embedded_platform() as platform:
        yield platform
