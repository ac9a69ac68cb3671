"""What every manifest must hold to. Each check looks at all manifests of an overlay and returns complaints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bus.flow import PARTITIONS, STREAM
from k8s_relations import RELATIONS
from k8s_render import (
    Manifest,
    containers_of,
    labels_of,
    line_deployments,
    made_secrets,
    name_of,
    of_kind,
    pod_of,
    workloads,
)

Container = dict[str, Any]
Check = Callable[[Sequence[Manifest]], Iterator[str]]
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
PINNED = re.compile(r"[a-z0-9./-]+(:(?!latest$)[A-Za-z0-9][\w.-]*|@sha256:[0-9a-f]{64})$")
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
ROOM_PER_POD = 10 + PARTITIONS + 3  # connections: RCM_POOL_MAX, and the relay's pool


def each_container(manifests: Sequence[Manifest]) -> Iterator[tuple[str, Manifest, Container]]:
    """(its name for a complaint, the workload, the container) of all."""
    for workload in workloads(manifests):
        for container in containers_of(workload):
            yield f"{name_of(workload)} {container['name']}", workload, container


def restricted_pods(manifests: Sequence[Manifest]) -> Iterator[str]:
    """The pod level of the restricted PodSecurity standard."""
    for workload in workloads(manifests):
        pod, who = pod_of(workload), name_of(workload)
        security = pod.get("securityContext", {})
        yield from (f"{who}: {key}" for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key))
        if security.get("runAsNonRoot") is not True:
            yield f"{who}: runAsNonRoot is not true"
        if security.get("runAsUser", 0) == 0:
            yield f"{who}: runs as root"
        if security.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"{who}: no seccomp profile"
        if security.get("sysctls") or "seLinuxOptions" in security or "windowsOptions" in security:
            yield f"{who}: sysctls, SELinux or Windows options"
        for volume in pod.get("volumes", ()):
            yield from (f"{who}: a volume of the kind {kind}" for kind in set(volume) - {"name"} - VOLUMES)


def restricted_containers(manifests: Sequence[Manifest]) -> Iterator[str]:
    """The container level of the restricted PodSecurity standard."""
    for who, _, container in each_container(manifests):
        security = container.get("securityContext", {})
        capabilities = security.get("capabilities", {})
        if security.get("allowPrivilegeEscalation") is not False:
            yield f"{who}: may gain privileges"
        if security.get("privileged") or security.get("procMount", "Default") != "Default":
            yield f"{who}: privileged"
        if security.get("runAsUser", 1) == 0 or security.get("runAsNonRoot", True) is not True:
            yield f"{who}: runs as root"
        if capabilities.get("drop") != ["ALL"] or set(capabilities.get("add", ())) - {"NET_BIND_SERVICE"}:
            yield f"{who}: keeps capabilities"
        if security.get("seccompProfile", {}).get("type", "RuntimeDefault") not in ("RuntimeDefault", "Localhost"):
            yield f"{who}: no seccomp profile"
        yield from (f"{who}: a port of the host" for port in container.get("ports", ()) if "hostPort" in port)
        for probe in PROBES:
            if "host" in container.get(probe, {}).get("httpGet", {}):
                yield f"{who}: {probe} asks another host"


def read_only_roots(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Nothing is written but to volumes, and /tmp is one of them."""
    for who, _, container in each_container(manifests):
        if container.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
            yield f"{who}: its root can be written"
        if "/tmp" not in {mount["mountPath"] for mount in container.get("volumeMounts", ())}:
            yield f"{who}: has no /tmp"


def requests_and_limits(manifests: Sequence[Manifest]) -> Iterator[str]:
    for who, _, container in each_container(manifests):
        for kind in ("requests", "limits"):
            given = container.get("resources", {}).get(kind, {})
            yield from (f"{who}: no {kind} of {what}" for what in ("cpu", "memory") if what not in given)


def pinned_images(manifests: Sequence[Manifest]) -> Iterator[str]:
    for who, _, container in each_container(manifests):
        image = container["image"]
        if not PINNED.match(image):
            yield f"{who}: the image {image} is not pinned"
    for cluster in of_kind(manifests, "Cluster"):
        if not PINNED.match(cluster["spec"].get("imageName", "")):
            yield f"{name_of(cluster)}: its image is not pinned"


def no_tokens(manifests: Sequence[Manifest]) -> Iterator[str]:
    """No pod of ours speaks to the API server, so none has the means to."""
    for one in workloads(manifests):
        if pod_of(one).get("automountServiceAccountToken") is not False:
            yield f"{name_of(one)}: mounts a token"
    for one in of_kind(manifests, "ServiceAccount"):
        if one.get("automountServiceAccountToken") is not False:
            yield f"{name_of(one)}: gives out tokens"


def restricted_namespace(manifests: Sequence[Manifest]) -> Iterator[str]:
    for one in of_kind(manifests, "Namespace"):
        if one["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
            yield f"{name_of(one)}: does not enforce the restricted standard"


def _port_exists(container: Container, wanted: str | int) -> bool:
    return any(wanted in (port.get("name"), port["containerPort"]) for port in container.get("ports", ()))


def probes(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Each long-running container says when it is ready, each of ours also when it is alive; probes meet a port."""
    ours = {name_of(one) for one in of_kind(manifests, "Deployment")}
    for who, workload, container in each_container(manifests):
        if workload["kind"] != "Job" and "readinessProbe" not in container:
            yield f"{who}: no readinessProbe"
        if name_of(workload) in ours and "livenessProbe" not in container:
            yield f"{who}: no livenessProbe"
        for probe in PROBES:
            given = container.get(probe, {})
            port = given.get("httpGet", {}).get("port") or given.get("grpc", {}).get("port")
            if port and not _port_exists(container, port):
                yield f"{who}: {probe} asks the port {port}, which is not there"


def services(manifests: Sequence[Manifest]) -> Iterator[str]:
    """A Service selects pods, and its ports are theirs; routes lead to Services and their ports."""
    doors: dict[str, set[int]] = {}
    for service in of_kind(manifests, "Service"):
        doors[service["metadata"]["name"]] = {port["port"] for port in service["spec"]["ports"]}
        chosen = [one for one in workloads(manifests) if service["spec"]["selector"].items() <= labels_of(one).items()]
        if not chosen:
            yield f"{name_of(service)}: selects nothing"
        for workload in chosen:
            for port in service["spec"]["ports"]:
                if not any(_port_exists(one, port.get("targetPort", port["port"])) for one in containers_of(workload)):
                    yield f"{name_of(service)}: {name_of(workload)} has no port {port['name']}"
    for route in of_kind(manifests, "HTTPRoute"):
        for rule in route["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                if backend["port"] not in doors.get(backend["name"], ()):
                    yield f"{name_of(route)}: leads to {backend['name']}:{backend['port']}, which is not there"


def _secrets_in(workload: Manifest) -> Iterator[str]:
    """Names of the Secrets without which a pod does not start."""
    for volume in pod_of(workload).get("volumes", ()):
        if "secret" in volume and not volume["secret"].get("optional"):
            yield volume["secret"]["secretName"]
        for source in volume.get("projected", {}).get("sources", ()):
            if not source["secret"].get("optional"):
                yield source["secret"]["name"]
    for container in containers_of(workload):
        for variable in container.get("env", ()):
            if "secretKeyRef" in variable.get("valueFrom", {}):
                yield variable["valueFrom"]["secretKeyRef"]["name"]


def references(manifests: Sequence[Manifest]) -> Iterator[str]:
    """ConfigMaps, Secrets, accounts, mounts that are named are there."""
    secrets, there = set(made_secrets(manifests)), {name_of(one) for one in manifests}
    for workload in workloads(manifests):
        pod, who = pod_of(workload), name_of(workload)
        yield from (f"{who}: no Secret {name}" for name in _secrets_in(workload) if name not in secrets)
        maps = [source["configMapRef"]["name"] for one in pod["containers"] for source in one.get("envFrom", ())]
        maps += [
            one["configMap"]["name"]
            for one in pod.get("volumes", ())
            if not one.get("configMap", {"optional": 1}).get("optional")
        ]
        yield from (f"{who}: no ConfigMap {name}" for name in maps if f"ConfigMap/{name}" not in there)
        account = pod.get("serviceAccountName")
        if account and f"ServiceAccount/{account}" not in there:
            yield f"{who}: no ServiceAccount {account}"
        volumes = {one["name"] for one in pod.get("volumes", ())}
        volumes |= {one["metadata"]["name"] for one in workload["spec"].get("volumeClaimTemplates", ())}
        for container in containers_of(workload):
            mounted = {mount["name"] for mount in container.get("volumeMounts", ())}
            yield from (f"{who}: mounts {name}, which is not there" for name in sorted(mounted - volumes))


def scalers(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Each scales a Deployment that is there, alone; lag is that of the service's own consumers."""
    deployments = {one["metadata"]["name"]: one for one in of_kind(manifests, "Deployment")}
    seen: set[str] = set()
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject"):
        target = scaler["spec"]["scaleTargetRef"]["name"]
        if target not in deployments:
            yield f"{name_of(scaler)}: there is no Deployment {target}"
            continue
        if target in seen:
            yield f"{name_of(scaler)}: {target} is scaled twice"
        if "replicas" in deployments[target]["spec"]:
            yield f"{name_of(scaler)}: {target} says itself how many"
        seen.add(target)
        if scaler["kind"] == "ScaledObject":
            yield from _lag(scaler, target)


def _lag(scaler: Manifest, service: str) -> Iterator[str]:
    given = {(one["metadata"]["stream"], one["metadata"]["consumer"]) for one in scaler["spec"]["triggers"]}
    if given != {(STREAM, f"{service}-{partition}") for partition in range(PARTITIONS)}:
        yield f"{name_of(scaler)}: does not look at the consumers of {service}"


def availability(manifests: Sequence[Manifest]) -> Iterator[str]:
    """No rollout takes a pod away first; drains go one by one; zones and nodes share."""
    budgets = {
        tuple(one["spec"]["selector"]["matchLabels"].items()) for one in of_kind(manifests, "PodDisruptionBudget")
    }
    for one in line_deployments(manifests):
        if one["metadata"]["name"] == "simulator":
            continue
        if one["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxUnavailable") != 0:
            yield f"{name_of(one)}: a rollout may take a pod away first"
        if tuple(one["spec"]["selector"]["matchLabels"].items()) not in budgets:
            yield f"{name_of(one)}: no PodDisruptionBudget"
        keys = {spread["topologyKey"] for spread in pod_of(one).get("topologySpreadConstraints", ())}
        if keys != {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}:
            yield f"{name_of(one)}: is not spread"


def connections(manifests: Sequence[Manifest]) -> Iterator[str]:
    """All replicas that there may be, one more of each while rolling, fit into Postgres."""
    most = 0
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject"):
        spec = scaler["spec"]
        most += (spec.get("maxReplicas") or spec["maxReplicaCount"]) + 1
    for cluster in of_kind(manifests, "Cluster"):
        room = int(cluster["spec"]["postgresql"]["parameters"]["max_connections"])
        if most * ROOM_PER_POD > room:
            yield f"{name_of(cluster)}: {most} pods want {most * ROOM_PER_POD} connections of {room}"


CHECKS: tuple[Check, ...] = (
    restricted_namespace,
    restricted_pods,
    restricted_containers,
    read_only_roots,
    requests_and_limits,
    pinned_images,
    no_tokens,
    probes,
    services,
    references,
    scalers,
    availability,
    connections,
    *RELATIONS,
)
