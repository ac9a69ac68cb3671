"""Numbers and names that stand in different manifests and must agree: replicas, budgets, seconds, certificates.

Each check looks at all manifests of an overlay and returns complaints, as those of k8s_policy do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from bus.flow import PARTITIONS
from chassis.line import DRAIN_S, FLUSH_S
from chassis.settings import ADDRESS_PREFIX, ServiceSettings
from k8s_render import Manifest, environment_of, line_deployments, name_of, of_kind, pod_of

TLS_DIR, NATS_URL, HEALTH_PORT = "RCM_TLS_DIR", "RCM_NATS_URL", "RCM_HEALTH_PORT"
CLOSING_S = 5.0  # pools and the last spans, after outbox and NATS
ENDPOINTS_FORGOTTEN_S = 5.0


def services_of(manifests: Sequence[Manifest]) -> list[Manifest]:
    """The Deployments of the line; the simulator is none of it."""
    return [one for one in line_deployments(manifests) if one["metadata"]["name"] != "simulator"]


def main_of(deployment: Manifest) -> dict[str, Any]:
    """Its one container."""
    container: dict[str, Any] = pod_of(deployment)["containers"][0]
    return container


def _range(scaler: Manifest) -> tuple[int, int]:
    spec = scaler["spec"]
    if scaler["kind"] == "ScaledObject":
        return spec["minReplicaCount"], spec["maxReplicaCount"]
    return spec["minReplicas"], spec["maxReplicas"]


def _by_target(manifests: Sequence[Manifest]) -> dict[str, Manifest]:
    scalers = of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject")
    return {one["spec"]["scaleTargetRef"]["name"]: one for one in scalers}


def replicas(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Two at least, and no more that only hear than there are partitions; what stays without NATS lies between."""
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject"):
        (least, most), who = _range(scaler), name_of(scaler)
        if least < 2 or most < least:
            yield f"{who}: from {least} to {most} replicas"
        if scaler["kind"] == "ScaledObject":
            if most > PARTITIONS:
                yield f"{who}: {most} replicas for {PARTITIONS} partitions"
            if not least <= scaler["spec"]["fallback"]["replicas"] <= most:
                yield f"{who}: falls back to what it may not have"


def budgets(manifests: Sequence[Manifest]) -> Iterator[str]:
    """A drain may go on, and leaves at least one pod of a service that has more than one."""
    scalers = _by_target(manifests)
    for budget in of_kind(manifests, "PodDisruptionBudget"):
        service = budget["spec"]["selector"]["matchLabels"].get("app.kubernetes.io/name")
        least = _range(scalers[service])[0] if service in scalers else 1
        away = budget["spec"].get("maxUnavailable", least - budget["spec"].get("minAvailable", 0))
        if away < 1:
            yield f"{name_of(budget)}: no node can be drained"
        if away >= max(least, 2):
            yield f"{name_of(budget)}: a drain may take all of {service}"


def _seconds(manifests: Sequence[Manifest], deployment: Manifest, setting: str) -> float:
    default = ServiceSettings.model_fields[setting].default
    return float(environment_of(manifests, deployment).get(f"RCM_{setting.upper()}", default))


def endings(manifests: Sequence[Manifest]) -> Iterator[str]:
    """A pod is killed only after it had the time that it takes to leave, and leaves only when nobody comes any more."""
    for one in services_of(manifests):
        unready, grace = (_seconds(manifests, one, name) for name in ("unready_wait_s", "shutdown_grace_s"))
        hook = main_of(one).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        needed = hook + unready + grace + FLUSH_S + DRAIN_S + CLOSING_S
        if pod_of(one).get("terminationGracePeriodSeconds", 30) <= needed:
            yield f"{name_of(one)}: is killed within the {needed:g} s that it takes to stop"
        if unready + hook < ENDPOINTS_FORGOTTEN_S:
            yield f"{name_of(one)}: stops while calls still come"


def beginnings(manifests: Sequence[Manifest]) -> Iterator[str]:
    """A service says itself why it does not start, before a probe ends it; a rollout waits longer than the probe."""
    for one in services_of(manifests):
        probe, who = main_of(one).get("startupProbe"), name_of(one)
        if probe is None:
            yield f"{who}: no startupProbe"
            continue
        patience = probe["periodSeconds"] * probe["failureThreshold"]
        if patience <= _seconds(manifests, one, "connect_timeout_s"):
            yield f"{who}: its probe ends it before it says what it cannot reach"
        if one["spec"].get("progressDeadlineSeconds", 600) <= patience:
            yield f"{who}: a rollout gives up before its pods do"
        if one["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxSurge", 0) == 0:
            yield f"{who}: a rollout may add no pod, and take none away"


def health_ports(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Kubelets bring no certificate: their questions go to the port that wants none."""
    for one in services_of(manifests):
        told, container = environment_of(manifests, one).get(HEALTH_PORT), main_of(one)
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        if told is None or ports.get("health") != int(told):
            yield f"{name_of(one)}: the port health is not {HEALTH_PORT}"
        for kind in ("startupProbe", "readinessProbe"):
            if container.get(kind, {}).get("grpc", {}).get("port") != ports.get("health"):
                yield f"{name_of(one)}: its {kind} does not ask the port health"


def _certificates(manifests: Sequence[Manifest]) -> dict[str, list[str]]:
    """{secret: DNS names} of what cert-manager issues."""
    issued = [one["spec"] for one in of_kind(manifests, "Certificate")]
    return {one["secretName"]: one["dnsNames"] for one in issued if not one.get("isCA")}


def identities(manifests: Sequence[Manifest]) -> Iterator[str]:
    """All speak TLS or none does: each with a certificate in its name, that it has before it starts."""
    names = _certificates(manifests)
    for one in services_of(manifests):
        told, who, service = environment_of(manifests, one), name_of(one), one["metadata"]["name"]
        if not names:
            yield from (f"{who}: {TLS_DIR} and no certificates" for _ in (1,) if TLS_DIR in told)
            continue
        mounts = {mount["mountPath"]: mount["name"] for mount in main_of(one)["volumeMounts"]}
        volumes = {volume["name"]: volume.get("secret", {}) for volume in pod_of(one)["volumes"]}
        secret = volumes.get(mounts.get(told.get(TLS_DIR, ""), ""), {})
        if names.get(secret.get("secretName", ""), [""])[0] != service:
            yield f"{who}: {TLS_DIR} is not the folder of its own certificate"
        elif secret.get("optional"):
            yield f"{who}: starts before it has its certificate"


def called_names(manifests: Sequence[Manifest]) -> Iterator[str]:
    """The name under which a peer is called is in the peer's certificate, and NATS is called by TLS."""
    names = _certificates(manifests)
    for one in services_of(manifests) if names else ():
        told, who = environment_of(manifests, one), name_of(one)
        called = {key: value for key, value in told.items() if key.startswith(ADDRESS_PREFIX)}
        for key, address in called.items():
            callee = key.removeprefix(ADDRESS_PREFIX).lower().replace("_", "-")
            host = address.removeprefix("dns:///").rpartition(":")[0]
            if not address.startswith("dns:///") or host not in names.get(f"{callee}-tls", ()):
                yield f"{who}: {key} is no name in the certificate of {callee}"
        broker = urlsplit(told[NATS_URL])
        if broker.scheme != "tls" or broker.hostname not in names.get("nats-tls", ()):
            yield f"{who}: {NATS_URL} is not a name of NATS by TLS"


def _hours(duration: str) -> int:
    return int(duration.removesuffix("h"))


def renewals(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Early enough that cert-manager may be away for three days. An authority keeps its key and outlives the others."""
    certificates = {name_of(one): one["spec"] for one in of_kind(manifests, "Certificate")}
    issuers = {one["metadata"]["name"] for one in of_kind(manifests, "Issuer")}
    longest = max((_hours(one["duration"]) for one in certificates.values() if not one.get("isCA")), default=0)
    for who, one in certificates.items():
        duration, before = _hours(one["duration"]), _hours(one["renewBefore"])
        if before < 72 or before > duration * 2 // 3:
            yield f"{who}: renewed {before} h before the end of {duration} h"
        if one["issuerRef"]["name"] not in issuers:
            yield f"{who}: no Issuer {one['issuerRef']['name']}"
        if one.get("isCA") and (one["privateKey"].get("rotationPolicy") != "Never" or before <= longest):
            yield f"{who}: what it issued is not trusted while it is renewed"


def broker_copies(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Where NATS has three nodes, a stream has three copies, or the loss of a node is the loss of facts."""
    nodes = 3 if of_kind(manifests, "Cluster") else 1
    for one in services_of(manifests):
        copies = int(environment_of(manifests, one).get("RCM_NATS_REPLICAS", "1"))
        if copies != nodes:
            yield f"{name_of(one)}: {copies} copies on {nodes} nodes of NATS"


RELATIONS = (
    replicas,
    budgets,
    endings,
    beginnings,
    health_ports,
    identities,
    called_names,
    renewals,
    broker_copies,
)
