"""deploy/k8s: valid, restricted, fenced by the line's own tables, and services are told what they understand."""

from __future__ import annotations

import importlib
import json
import re
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import grpc
import httpx
import psycopg
import pytest
import yaml
from chassis.embedded import EmbeddedPostgres
from chassis.migrations import current_revision, expected_revision, installed_services, migrate
from chassis.settings import SettingsError
from cli.stack import PROGRAMS
from grpc_health.v1 import health_pb2, health_pb2_grpc
from platform_fixture import NATS_IMAGE, POSTGRES_IMAGE, Platform
from service_under_test import running_service

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tools")]  # the helpers lie here, and what writes manifests

import k8s_policy as policy  # noqa: E402
import write_manifests as written  # noqa: E402
from k8s_network import network  # noqa: E402
from k8s_render import (  # noqa: E402
    FOLDER,
    OVERLAYS,
    Manifest,
    builder,
    environment_of,
    labels_of,
    line_deployments,
    name_of,
    named,
    of_kind,
    pod_of,
    render,
    secret_files_of,
    workloads,
)
from k8s_schemas import schema_error  # noqa: E402
from k8s_settings import LINE, check_console, read_as, settings_class, unknown_settings  # noqa: E402
from k8s_spoiled import HOLES, INVALID, SPOILED, UNFIT, Change, spoil  # noqa: E402

rendered = pytest.mark.skipif(
    builder() is None, reason="no Kustomize 5.5: put kustomize, or a kubectl of 1.32 or newer, on the PATH"
)
every_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


# Everything that is there is right


@rendered
@every_overlay
def test_every_manifest_is_valid_in_every_field(overlay: str) -> None:
    manifests = render(overlay)
    assert [error for one in manifests if (error := schema_error(one))] == []
    names = [name_of(one) for one in manifests]
    assert len(names) == len(set(names))
    assert {one["metadata"].get("namespace", "throughline") for one in manifests} == {"throughline"}


@rendered
@every_overlay
@pytest.mark.parametrize("check", policy.CHECKS, ids=lambda check: check.__name__)
def test_every_policy_holds(overlay: str, check: policy.Check) -> None:
    assert list(check(render(overlay))) == []


@rendered
@every_overlay
def test_the_network_is_the_calls_the_facts_and_nothing_else(overlay: str) -> None:
    assert network(render(overlay)) == []


@rendered
@every_overlay
def test_each_call_between_services_is_one_policy(overlay: str) -> None:
    calls = {f"{one.name}-calls-{callee}" for one in PROGRAMS for callee in one.calls}
    policies = {one["metadata"]["name"] for one in of_kind(render(overlay), "NetworkPolicy")}
    assert {name for name in policies if "-calls-" in name} == calls


@rendered
@every_overlay
def test_every_program_is_deployed_with_an_image_of_its_own(overlay: str) -> None:
    deployed = {one["metadata"]["name"]: one for one in line_deployments(render(overlay))}
    assert set(deployed) == set(LINE) - ({"simulator"} if overlay != "dev" else set())
    for name, one in deployed.items():
        assert f"/{name}:" in pod_of(one)["containers"][0]["image"]
        assert pod_of(one)["serviceAccountName"] == labels_of(one)["app.kubernetes.io/name"] == name


@rendered
@every_overlay
@pytest.mark.parametrize("service", list(LINE))
def test_services_are_told_what_they_understand(overlay: str, service: str, tmp_path: Path, monkeypatch: Any) -> None:
    manifests = render(overlay)
    if service == "simulator" and overlay != "dev":
        assert not [one for one in manifests if service in name_of(one)]
        return
    deployment = named(manifests, "Deployment", service)
    given, files = environment_of(manifests, deployment), secret_files_of(manifests, deployment)
    assert unknown_settings(service, given) == set()
    assert {name for name in files if name.startswith("rcm_")} <= {
        f"rcm_{name}" for name in settings_class(service).model_fields
    }
    settings = read_as(service, given, files, tmp_path, monkeypatch)
    assert set(settings.addresses) == set(LINE[service].calls)
    assert settings.listen_host == "0.0.0.0"
    ports = {port["name"]: port["containerPort"] for port in pod_of(deployment)["containers"][0]["ports"]}
    assert (ports["grpc"], ports["metrics"]) == (settings.grpc_port, settings.metrics_port)
    assert service == "simulator" or ports["health"] == settings.health_port
    assert ports.get("http", 0) == settings.http_port
    grace = settings.unready_wait_s + settings.shutdown_grace_s
    assert pod_of(deployment).get("terminationGracePeriodSeconds", 30) > grace + 15
    if service == "journey":
        check_console(settings)
        assert set(settings.metrics_urls) == set(LINE) - {"simulator"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@rendered
async def test_a_service_starts_on_what_it_is_told_and_answers_its_probes(platform: Platform, tmp_path: Path) -> None:
    manifests = render("dev")
    deployment = named(manifests, "Deployment", "coding")
    container = pod_of(deployment)["containers"][0]
    (tmp_path / "rcm_postgres_url").write_text(platform.url_for("coding"))
    ours = {"RCM_SECRETS_DIR": str(tmp_path), "RCM_POSTGRES_URL": "", "RCM_NATS_URL": platform.nats_url}
    ours |= {"RCM_SITE_DIR": str(tmp_path), "RCM_HEALTH_PORT": str(free_port())}
    free = {"RCM_GRPC_PORT": "0", "RCM_METRICS_PORT": "0", "RCM_UNREADY_WAIT_S": "0"}
    told = environment_of(manifests, deployment) | ours | free
    with running_service("coding", platform, tmp_path, **told) as service:
        ports = json.loads((tmp_path / "run" / "coding.json").read_text())
        assert ports["grpc"] == service.grpc_port != ports["health"]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{ports['health']}") as channel:
            request = health_pb2.HealthCheckRequest(service=container["readinessProbe"]["grpc"].get("service", ""))
            answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=5)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        async with httpx.AsyncClient() as client:
            path = container["livenessProbe"]["httpGet"]["path"]
            assert (await client.get(f"http://127.0.0.1:{ports['metrics']}{path}")).status_code == 200


@rendered
@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_the_names_outside_are_the_names_that_are_told(overlay: str) -> None:
    manifests = render(overlay)
    told = {
        name: environment_of(manifests, named(manifests, "Deployment", name))
        for name in ("interface-engine", "journey")
    }
    fhir, console = (named(manifests, "HTTPRoute", name)["spec"]["hostnames"] for name in ("fhir", "console"))
    assert told["interface-engine"]["RCM_BASE_URL"] == f"https://{fhir[0]}/fhir"
    assert told["journey"]["RCM_CONSOLE_URL"] == f"https://{console[0]}"
    engine = importlib.import_module("interface_engine.entry_token")
    paths = {one["path"]["value"] for one in named(manifests, "HTTPRoute", "fhir")["spec"]["rules"][0]["matches"]}
    assert {engine.TOKEN_PATH, "/fhir"} == paths and engine.CONFIGURATION_PATH.startswith("/fhir/")


@rendered
@every_overlay
def test_each_schema_has_its_job_as_the_owner_and_no_service_is_the_owner(overlay: str) -> None:
    manifests = render(overlay)
    jobs = {tuple(pod_of(one)["containers"][0]["command"][2:]) for one in of_kind(manifests, "Job")}
    assert jobs == {("chassis.migrations", name.replace("_", "-")) for name in installed_services()}
    for one in workloads(manifests):
        text = yaml.safe_dump(pod_of(one))
        assert ("RCM_POSTGRES_OWNER_URL" in text) == (one["kind"] == "Job"), name_of(one)
    jobs_wave = {wave_of(one) for one in of_kind(manifests, "Job")}
    waves = {wave_of(one) for one in line_deployments(manifests) if one["metadata"]["name"] != "simulator"}
    assert max(jobs_wave) < min(waves)


def wave_of(manifest: Manifest) -> int:
    return int(manifest["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])


@rendered
@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_each_service_has_a_certificate_in_its_name_and_a_way_to_grow(overlay: str) -> None:
    manifests = render(overlay)
    for service in set(LINE) - {"simulator"}:
        certificate = named(manifests, "Certificate", service)["spec"]
        assert certificate["dnsNames"][0] == service
        volumes = {one["name"]: one for one in pod_of(named(manifests, "Deployment", service))["volumes"]}
        assert volumes["tls"]["secret"]["secretName"] == certificate["secretName"]
    scaled = {
        one["spec"]["scaleTargetRef"]["name"] for one in of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject")
    }
    assert scaled == set(LINE) - {"simulator"}


@rendered
def test_dev_runs_on_the_servers_that_the_tests_run_on() -> None:
    images = {pod_of(one)["containers"][0]["image"] for one in of_kind(render("dev"), "StatefulSet")}
    assert images == {POSTGRES_IMAGE, NATS_IMAGE}


@rendered
def test_no_secret_and_no_pretended_payer_goes_to_production() -> None:
    for overlay, usage in (("staging", "T"), ("production", "P")):
        manifests = render(overlay)
        assert of_kind(manifests, "Secret", "StatefulSet") == []
        assert "simulator" not in yaml.safe_dump_all(of_kind(manifests, "ConfigMap", "Deployment"))
        for service in ("eligibility", "prior-auth", "claims-gateway"):
            told = environment_of(manifests, named(manifests, "Deployment", service))
            assert told["RCM_USAGE"] == usage and told["RCM_CLEARINGHOUSE_URL"].startswith("https://")


# Every check says no


@rendered
@pytest.mark.parametrize(("check", "path", "value"), SPOILED, ids=lambda one: one if isinstance(one, str) else "")
def test_every_policy_says_no(check: policy.Check, path: str, value: Any) -> None:
    manifests = render("production")
    spoil(path, value)(manifests)
    assert list(check(manifests))


def test_every_policy_is_shown_to_say_no() -> None:
    assert {check for check, _, _ in SPOILED} == set(policy.CHECKS)


@rendered
@pytest.mark.parametrize(("path", "value"), INVALID + UNFIT)
def test_every_schema_says_no(path: str, value: Any) -> None:
    manifests = render("production")
    spoil(path, value)(manifests)
    assert schema_error(named(manifests, *path.split()[0].split("/")))


@rendered
@pytest.mark.parametrize(("change", "complaint"), HOLES, ids=lambda one: one if isinstance(one, str) else "")
def test_the_network_check_says_no(change: Change, complaint: str) -> None:
    manifests = render("production")
    change(manifests)
    assert complaint in network(manifests)


@rendered
def test_the_settings_check_says_no(tmp_path: Path, monkeypatch: Any) -> None:
    manifests = render("production")
    given = environment_of(manifests, named(manifests, "Deployment", "coding"))
    assert unknown_settings("coding", given | {"RCM_REVIEW_HOUR": "24"}) == {"RCM_REVIEW_HOUR"}
    assert unknown_settings("coding", given | {"RCM_ADDRESS_REMITTANCE": "a:1"}) == {"RCM_ADDRESS_REMITTANCE"}
    with pytest.raises(SettingsError, match="RCM_POSTGRES_URL is not set"):
        read_as("coding", given, {}, tmp_path, monkeypatch)
    with pytest.raises(SettingsError, match="RCM_GRPC_PORT is wrong"):
        read_as(
            "coding", given | {"RCM_GRPC_PORT": "grpc"}, {"rcm_postgres_url": "postgresql://a/b"}, tmp_path, monkeypatch
        )


# What is made from other files, and the servers


def test_written_files_are_as_their_sources_are() -> None:
    again = "write them again: python tools/write_manifests.py"
    assert written.RULES.read_text() == written.rules_text(), again
    assert written.PERMISSIONS.read_text() == written.permissions_text(), again


@rendered
def test_rules_and_dashboards_arrive_unchanged() -> None:
    manifests, observability = render("production"), FOLDER.parent / "observability"
    for file in (observability / "prometheus" / "rules").glob("*.yml"):
        rule = named(manifests, "PrometheusRule", f"throughline-{file.stem}")
        assert rule["spec"] == yaml.safe_load(file.read_text())
    shown = named(manifests, "ConfigMap", "dashboards")
    boards = {file.name: file.read_text() for file in (observability / "grafana" / "dashboards").glob("*.json")}
    assert shown["data"] == boards and shown["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert named(manifests, "ServiceMonitor", "throughline")["spec"]["jobLabel"] == "app.kubernetes.io/name"


def laid_over(under: Any, over: Any) -> Any:
    """As the collector merges its files: maps key by key, all else replaced."""
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return under | {key: laid_over(under.get(key, {}), value) for key, value in over.items()}


@rendered
def test_the_collector_keeps_every_journey_span_and_lets_no_name_by() -> None:
    manifests = render("production")
    data = named(manifests, "ConfigMap", config_of(named(manifests, "Deployment", "collector")))["data"]
    assert data["collector.yml"] == (FOLDER.parent / "observability" / "collector" / "collector.yml").read_text()
    whole = laid_over(yaml.safe_load(data["collector.yml"]), yaml.safe_load(data["kubernetes.yml"]))
    pipelines = whole["service"]["pipelines"]
    for pipeline in pipelines.values():
        for part in ("receivers", "processors", "exporters"):
            assert set(pipeline[part]) <= set(whole[part])
    journeys, bursts = pipelines["traces"], pipelines["traces/bursts"]
    assert "tail_sampling" not in journeys["processors"] and "tail_sampling" in bursts["processors"]
    for pipeline in (journeys, bursts):
        assert {"redaction/spans", "transform/texts"} <= set(pipeline["processors"])
        assert pipeline["exporters"] == ["otlphttp/traces"]
    kept, left = (whole["processors"][f"filter/{name}"]["traces"]["span"][0] for name in ("journeys", "bursts"))
    assert kept == f"not {left}"  # a span goes one of the two ways
    pattern = re.search(r'"(.+)"', left)
    assert pattern is not None
    assert re.search(pattern[1], "journey") and re.search(pattern[1], "stage coder-review")
    assert not re.search(pattern[1], "process encounter.coded") and not re.search(pattern[1], "journey.Ledger/Show")


def config_of(deployment: Manifest) -> str:
    volumes = {one["name"]: one for one in pod_of(deployment)["volumes"]}
    return str(volumes["config"]["configMap"]["name"])


def test_journey_spans_are_named_as_the_collector_thinks() -> None:
    source = Path(str(importlib.import_module("journey.spans").__file__)).read_text()
    assert re.findall(r'name=f?"([^"]+)"', source) == ["journey", "stage {stage.name}"]


def test_nats_and_postgres_lose_nothing_that_they_acknowledged() -> None:
    config = yaml.safe_load((FOLDER / "nats" / "values.yaml").read_text())["config"]
    assert config["cluster"]["replicas"] == 3 and config["jetstream"]["merge"]["sync_interval"] == "always"
    assert (
        config["nats"]["tls"]["merge"] == {"verify_and_map": True, "handshake_first": True}
        and config["cluster"]["tls"]["merge"]["verify"]
    )
    cluster = next(yaml.safe_load_all((FOLDER / "postgres" / "cluster.yaml").read_text()))["spec"]
    assert cluster["postgresql"]["synchronous"] == {"method": "any", "number": 1, "dataDurability": "required"}
    assert cluster["plugins"][0]["isWALArchiver"] is True


def test_the_owner_that_the_operator_makes_can_migrate(tmp_path: Path) -> None:
    """No superuser, with the rights that the Cluster gives, on a PostgreSQL of its own."""
    cluster = next(yaml.safe_load_all((FOLDER / "postgres" / "cluster.yaml").read_text()))["spec"]
    owner = cluster["managed"]["roles"][0]
    assert owner["login"] and owner["createrole"] and "superuser" not in owner
    with EmbeddedPostgres(tmp_path) as postgres:
        with psycopg.connect(postgres.owner_url, autocommit=True) as connection:
            connection.execute("create role hospital login createrole")
            connection.execute("create database line owner hospital")
        address = urlsplit(postgres.owner_url)
        host = address.netloc.rpartition("@")[2]
        url = urlunsplit(address._replace(netloc=f"hospital@{host}", path="/line"))
        assert [one.service for one in migrate(url, ["coding"], "a")] == ["coding"]
        login = urlunsplit(address._replace(netloc=f"coding:a@{host}", path="/line"))
        assert current_revision(login, "coding") == expected_revision("coding")
