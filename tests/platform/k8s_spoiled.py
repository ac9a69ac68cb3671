"""Manifests spoiled on purpose: what every check must refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import k8s_policy as policy
import k8s_relations as relations
from k8s_render import Manifest, name_of

Change = Callable[[list[Manifest]], None]


def spoil(path: str, value: Any) -> Change:
    """Sets what a path leads to, from a manifest's name on: "Deployment/coding spec replicas". None takes it away."""

    def change(manifests: list[Manifest]) -> None:
        name, *steps, last = path.split()
        here: Any = next(one for one in manifests if name_of(one) == name)
        for step in steps:
            here = here[int(step)] if step.isdigit() else here.setdefault(step, {})
        key: Any = int(last) if last.isdigit() else last
        if value is None:
            del here[key]
        else:
            here[key] = value

    return change


CODING = "Deployment/coding spec template spec"
MAIN = f"{CODING} containers 0"
SPOILED: tuple[tuple[policy.Check, str, Any], ...] = (
    (policy.restricted_namespace, "Namespace/throughline metadata labels", {}),
    (policy.restricted_pods, f"{CODING} securityContext runAsNonRoot", False),
    (policy.restricted_pods, f"{CODING} securityContext runAsUser", 0),
    (policy.restricted_pods, f"{CODING} securityContext seccompProfile", {"type": "Unconfined"}),
    (policy.restricted_pods, f"{CODING} securityContext sysctls", [{"name": "a", "value": "b"}]),
    (policy.restricted_pods, f"{CODING} hostNetwork", True),
    (policy.restricted_pods, f"{CODING} hostPID", True),
    (policy.restricted_pods, f"{CODING} volumes 0", {"name": "tmp", "hostPath": {"path": "/"}}),
    (policy.restricted_containers, f"{MAIN} securityContext", None),
    (policy.restricted_containers, f"{MAIN} securityContext privileged", True),
    (policy.restricted_containers, f"{MAIN} securityContext allowPrivilegeEscalation", True),
    (policy.restricted_containers, f"{MAIN} securityContext runAsUser", 0),
    (policy.restricted_containers, f"{MAIN} securityContext capabilities drop", ["NET_RAW"]),
    (policy.restricted_containers, f"{MAIN} securityContext capabilities add", ["SYS_ADMIN"]),
    (policy.restricted_containers, f"{MAIN} securityContext procMount", "Unmasked"),
    (policy.restricted_containers, f"{MAIN} securityContext seccompProfile", {"type": "Unconfined"}),
    (policy.restricted_containers, f"{MAIN} ports 0 hostPort", 80),
    (policy.restricted_containers, f"{MAIN} livenessProbe httpGet host", "10.0.0.1"),
    (policy.read_only_roots, f"{MAIN} securityContext readOnlyRootFilesystem", False),
    (policy.read_only_roots, f"{MAIN} volumeMounts", []),
    (policy.requests_and_limits, f"{MAIN} resources limits memory", None),
    (policy.requests_and_limits, "Job/coding-migrations spec template spec containers 0 resources requests", None),
    (policy.pinned_images, f"{MAIN} image", "ghcr.io/throughline/coding"),
    (policy.pinned_images, f"{MAIN} image", "ghcr.io/throughline/coding:latest"),
    (policy.pinned_images, "Cluster/postgres spec imageName", "ghcr.io/cloudnative-pg/postgresql:latest"),
    (policy.no_tokens, f"{CODING} automountServiceAccountToken", True),
    (policy.no_tokens, "ServiceAccount/coding automountServiceAccountToken", None),
    (policy.probes, f"{MAIN} readinessProbe", None),
    (policy.probes, f"{MAIN} livenessProbe", None),
    (policy.probes, f"{MAIN} livenessProbe httpGet port", "alive"),
    (policy.probes, f"{MAIN} startupProbe grpc port", 50059),
    (policy.services, "Service/coding spec selector", {"app.kubernetes.io/name": "coder"}),
    (policy.services, "Service/coding spec ports 0 port", 50059),
    (policy.services, "HTTPRoute/console spec rules 0 backendRefs 0 port", 8080),
    (policy.references, f"{MAIN} envFrom 0 configMapRef name", "line"),
    (policy.references, f"{CODING} serviceAccountName", "coder"),
    (policy.references, f"{CODING} volumes 2 projected sources 0 secret name", "coder"),
    (policy.references, f"{MAIN} volumeMounts 0 name", "temporary"),
    (policy.scalers, "ScaledObject/coding spec scaleTargetRef name", "coder"),
    (policy.scalers, "ScaledObject/coding spec scaleTargetRef name", "remittance"),
    (policy.scalers, "ScaledObject/coding spec triggers 3 metadata consumer", "coding-4"),
    (policy.scalers, "HorizontalPodAutoscaler/interface-engine spec scaleTargetRef name", "engine"),
    (policy.scalers, "Deployment/coding spec replicas", 2),
    (policy.availability, "Deployment/coding spec strategy rollingUpdate maxUnavailable", 1),
    (policy.availability, "PodDisruptionBudget/coding spec selector matchLabels", {}),
    (policy.availability, f"{CODING} topologySpreadConstraints", []),
    (policy.connections, "HorizontalPodAutoscaler/interface-engine spec maxReplicas", 80),
    (relations.replicas, "ScaledObject/coding spec maxReplicaCount", 5),
    (relations.replicas, "ScaledObject/coding spec minReplicaCount", 1),
    (relations.replicas, "ScaledObject/coding spec fallback replicas", 5),
    (relations.replicas, "HorizontalPodAutoscaler/interface-engine spec maxReplicas", 1),
    (relations.budgets, "PodDisruptionBudget/coding spec maxUnavailable", 0),
    (relations.budgets, "PodDisruptionBudget/coding spec maxUnavailable", 2),
    (relations.endings, f"{CODING} terminationGracePeriodSeconds", 30),
    (relations.endings, f"{MAIN} lifecycle", {"preStop": {"sleep": {"seconds": 15}}}),
    (relations.endings, f"{MAIN} env", [{"name": "RCM_SHUTDOWN_GRACE_S", "value": "30"}]),
    (relations.endings, f"{MAIN} env", [{"name": "RCM_UNREADY_WAIT_S", "value": "0"}]),
    (relations.beginnings, f"{MAIN} startupProbe", None),
    (relations.beginnings, f"{MAIN} startupProbe failureThreshold", 30),
    (relations.beginnings, "Deployment/coding spec progressDeadlineSeconds", 60),
    (relations.beginnings, "Deployment/coding spec strategy rollingUpdate maxSurge", 0),
    (relations.health_ports, f"{MAIN} readinessProbe grpc port", 50051),
    (relations.health_ports, f"{MAIN} env", [{"name": "RCM_HEALTH_PORT", "value": "50053"}]),
    (relations.identities, f"{MAIN} env", [{"name": "RCM_TLS_DIR", "value": "/etc/throughline/mllp"}]),
    (relations.identities, f"{MAIN} env", [{"name": "RCM_TLS_DIR", "value": ""}]),
    (relations.identities, "Certificate/coding spec dnsNames 0", "remittance"),
    (relations.identities, "Certificate/coding spec secretName", "coding-certificate"),
    (relations.called_names, "Certificate/coding spec dnsNames", ["coding.throughline.svc"]),
    (relations.called_names, f"{MAIN} env", [{"name": "RCM_NATS_URL", "value": "nats://nats:4222"}]),
    (relations.called_names, f"{MAIN} env", [{"name": "RCM_NATS_URL", "value": "tls://nats-0:4222"}]),
    (relations.called_names, f"{MAIN} env", [{"name": "RCM_ADDRESS_JOURNEY", "value": "dns:///10.0.0.1:50051"}]),
    (relations.called_names, f"{MAIN} env", [{"name": "RCM_ADDRESS_JOURNEY", "value": "journey:50051"}]),
    (relations.renewals, "Certificate/coding spec renewBefore", "8h"),
    (relations.renewals, "Certificate/coding spec duration", "90h"),
    (relations.renewals, "Certificate/coding spec issuerRef name", "self"),
    (relations.renewals, "Certificate/line-authority spec privateKey rotationPolicy", "Always"),
    (relations.renewals, "Certificate/line-authority spec renewBefore", "100h"),
    (relations.broker_copies, f"{MAIN} env", [{"name": "RCM_NATS_REPLICAS", "value": "1"}]),
)


# Fields that the schemas do not know, or values that they do not allow.
INVALID: tuple[tuple[str, Any], ...] = (
    (f"{CODING} nodeNames", "a"),
    (f"{MAIN} livenessProbe periodSeconds", "10"),
    ("PodDisruptionBudget/coding spec minAvailible", 1),
    ("ScaledObject/coding spec maxReplicas", 4),
    ("Certificate/coding spec secretname", "a"),
    ("ExternalSecret/coding spec secretStoreRef kind", "Store"),
    ("Cluster/postgres spec postgresql synchronous method", "quorum"),
    ("ServiceMonitor/throughline spec endpoints 0 interval", 15),
    ("HTTPRoute/fhir spec rules 0 matches 0 path type", "Prefix"),
    ("Issuer/line apiVersion", "cert-manager.io/v2"),
)
# What the vendors' schemas allow and their operators refuse: our schemas say it before.
UNFIT: tuple[tuple[str, Any], ...] = (
    ("ScaledObject/coding spec triggers 0 type", "nats"),
    ("Certificate/coding spec renewBefore", "8 hours"),
    ("ScheduledBackup/postgres-nightly spec schedule", "30 2 * * *"),
    ("ObjectStore/postgres-backups spec configuration destinationPath", "/backups"),
    ("PrometheusRule/throughline-slo spec groups 0 rules 0 record", None),
)


def without(policies: str) -> Change:
    """Takes NetworkPolicies away."""

    def change(manifests: list[Manifest]) -> None:
        manifests[:] = [one for one in manifests if name_of(one) != f"NetworkPolicy/{policies}"]

    return change


CALL = "NetworkPolicy/journey-calls-coding spec"
OUT_WORLD = "NetworkPolicy/out-world spec"
HOLES: tuple[tuple[Change, str], ...] = (
    (without("journey-calls-coding"), "missing: ('journey', 'coding', 50051, 'TCP')"),
    (without("line-to-nats"), "missing: ('coding', 'nats', 4222, 'TCP')"),
    (without("out-line"), "missing: ('coding', 'postgres', 5432, 'TCP')"),
    (without("out-dns"), "missing: ('coding', 'dns', 53, 'UDP')"),
    (without("default-deny"), "open: ('stranger', 'migrations', 1, 'TCP')"),
    (spoil(f"{CALL} ingress 0 from", []), "open: ('claims-gateway', 'coding', 50051, 'TCP')"),
    (spoil(f"{CALL} ingress 0 from 0 podSelector", {}), "open: ('claims-gateway', 'coding', 50051, 'TCP')"),
    (spoil(f"{CALL} ingress", [{}]), "open: ('stranger', 'coding', 1, 'TCP')"),
    (spoil(f"{CALL} ingress 0 ports 0 port", 50052), "missing: ('journey', 'coding', 50051, 'TCP')"),
    (spoil("NetworkPolicy/out-line spec egress 0 to", []), "open: ('coding', 'world', 5432, 'TCP')"),
    (spoil("NetworkPolicy/gateway-to-doors spec podSelector", {}), "open: ('gateway', 'coding', 8080, 'TCP')"),
    (spoil(f"{OUT_WORLD} podSelector", {}), "open: ('coding', 'world', 443, 'TCP')"),
    (spoil(f"{OUT_WORLD} egress 0 to 0 ipBlock except", []), "open: ('journey', 'inside', 443, 'TCP')"),
)
