"""Services as production starts them: certificates by their manifests, NATS by its values, settings by ConfigMaps."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from bus.flow import PARTITIONS, STREAM
from chassis.embedded.certificates import Authority
from grpc_health.v1 import health_pb2, health_pb2_grpc
from nats.js.errors import NotFoundError
from platform_fixture import Platform
from service_under_test import ServiceUnderTest, running_service

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tools")]  # the helpers lie here, and what writes manifests

from k8s_nats import GuardedNats, connected, context_of  # noqa: E402
from k8s_render import builder, environment_of, named, render, secret_files_of  # noqa: E402
from write_manifests import services  # noqa: E402

pytestmark = pytest.mark.skipif(builder() is None, reason="no Kustomize 5.5")
SERVING = health_pb2.HealthCheckResponse.SERVING
FREE = {f"RCM_{one}_PORT": "0" for one in ("GRPC", "HTTP", "METRICS", "HEALTH")}
HERE_ONLY = {"RCM_UNREADY_WAIT_S": "0", "RCM_OTLP_ENDPOINT": "", "RCM_NATS_REPLICAS": "1", "RCM_LISTEN_HOST": ""}


def issued(manifests: Any, authority: Authority, secret: str, folder: Path) -> Path:
    """As cert-manager makes the Secret of a Certificate, where the kubelet puts it."""
    certificates = [one["spec"] for one in manifests if one["kind"] == "Certificate"]
    names = next(one["dnsNames"] for one in certificates if one["secretName"] == secret)
    return authority.issue(names[0], folder / secret, sans=names[1:])


def settings_of(service: str, server: GuardedNats, authority: Authority, folder: Path) -> dict[str, str]:
    """What production tells a service, with this machine's folders in the place of the pod's."""
    manifests = render("production")
    deployment = named(manifests, "Deployment", service)
    told = environment_of(manifests, deployment)
    told.pop("RCM_CLEARINGHOUSE_URL", "")
    (folder / "secrets").mkdir(exist_ok=True)
    (folder / "site").mkdir(exist_ok=True)
    for name, text in secret_files_of(manifests, deployment).items():
        if name.startswith("rcm_") and name != "rcm_postgres_url":
            (folder / "secrets" / name).write_text(text)
    told |= {"RCM_TLS_DIR": str(issued(manifests, authority, f"{service}-tls", folder))}
    told |= {"RCM_SECRETS_DIR": str(folder / "secrets"), "RCM_SITE_DIR": str(folder / "site")}
    told["RCM_NATS_URL"] = server.url.replace("nats://", "tls://")
    if "RCM_MLLP_CERTIFICATE" in told:
        mllp = issued(manifests, authority, "interface-engine-mllp-tls", folder)
        told |= {key: str(mllp / Path(one).name) for key, one in told.items() if key.startswith("RCM_MLLP_")}
    return told | FREE | HERE_ONLY


async def health(address: str, credentials: grpc.ChannelCredentials | None = None, name: str = "") -> int:
    """What health says; grpc.aio.AioRpcError where the peer does not want us."""
    options = [("grpc.default_authority", name)] if name else []
    channel = grpc.aio.insecure_channel(address)
    if credentials is not None:
        channel = grpc.aio.secure_channel(address, credentials, options=options)
    async with channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=15)
    return int(answer.status)


async def check_doors(service: ServiceUnderTest, name: str, authority: Authority, folder: Path) -> None:
    """Probes need no certificate, calls need one of ours, and the name is the service's."""
    ports = json.loads((folder / "run" / f"{name}.json").read_text())
    assert await health(f"127.0.0.1:{ports['health']}") == SERVING
    own = authority.issue("journey", folder / "caller")
    ours = [(own / one).read_bytes() for one in ("ca.crt", "tls.key", "tls.crt")]
    address = f"127.0.0.1:{service.grpc_port}"
    assert await health(address, grpc.ssl_channel_credentials(*ours), name) == SERVING
    refused = (None, grpc.ssl_channel_credentials(ours[0]))
    for credentials in refused:
        with pytest.raises(grpc.aio.AioRpcError):
            await health(address, credentials, name if credentials else "")
    with pytest.raises(grpc.aio.AioRpcError):
        await health(address, grpc.ssl_channel_credentials(*ours), "somebody")


async def hears_all(server: GuardedNats, authority: Authority, name: str) -> None:
    """Its consumers are there: it got past NATS, which let it make them in its own name. TimeoutError when not."""
    async with connected(server, context_of(authority, name)) as client, asyncio.timeout(60):
        js, left = client.jetstream(timeout=15), set(range(PARTITIONS))
        while left:
            for partition in tuple(left):
                try:
                    await js.consumer_info(STREAM, f"{name}-{partition}")
                    left.discard(partition)
                except NotFoundError:
                    await asyncio.sleep(0.1)


@pytest.mark.parametrize("name", services())
async def test_a_service_starts_as_production_starts_it(platform: Platform, tmp_path: Path, name: str) -> None:
    authority = Authority(tmp_path / "authority")
    with GuardedNats(tmp_path / "nats", authority) as server:
        told = settings_of(name, server, authority, tmp_path)
        with running_service(name, platform, tmp_path, **told) as service:
            await check_doors(service, name, authority, tmp_path)
            await hears_all(server, authority, name)
            assert "Permissions Violation" not in service.written()
        log = (tmp_path / "nats" / "nats.log").read_text()
        assert [line for line in log.splitlines() if "Violation" in line] == []
