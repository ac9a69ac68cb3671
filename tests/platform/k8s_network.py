"""Who can reach whom: NetworkPolicies evaluated as Kubernetes does, and the edges that the line needs.

A connection is allowed when the policies of its source let it out and those of its destination let it in. A pod that no
policy of a direction selects is open in that direction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from bus.flow import FLOW
from cli.stack import PROGRAMS
from k8s_render import Manifest, labels_of, of_kind, workloads
from write_manifests import services as line_services

NAMESPACE = "throughline"
TCP, UDP = "TCP", "UDP"
Edge = tuple[str, str, int, str]


@dataclass(frozen=True)
class Place:
    """An end of a connection: a pod (namespace and labels), or an address outside."""

    name: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = ""


def _app(name: str, namespace: str) -> Place:
    return Place(name, namespace, {"app.kubernetes.io/name": name})


OUTSIDE = (
    _app("prometheus", "monitoring"),
    _app("tempo", "monitoring"),
    _app("grafana", "monitoring"),
    _app("gateway", "gateway"),
    _app("keda", "keda"),
    _app("operator", "cnpg-system"),
    _app("stranger", "default"),
    Place("dns", "kube-system", {"k8s-app": "kube-dns"}),
    Place("world", address="203.0.113.7"),
    Place("inside", address="10.20.30.40"),
    Place("metadata", address="169.254.169.254"),
    Place("sender", address="192.0.2.10"),
)
HOSTED = (  # what operators and charts start: their pods are in no manifest of ours
    Place("postgres", NAMESPACE, {"cnpg.io/cluster": "postgres"}),
    _app("nats", NAMESPACE),
    Place("intruder", NAMESPACE, {"app": "intruder"}),
)


def places_of(manifests: Sequence[Manifest]) -> tuple[Place, ...]:
    """All ends that are looked at: one for each kind of pod, and what is around."""
    found = {place.name: place for place in HOSTED}
    for workload in workloads(manifests):
        labels = labels_of(workload)
        name = labels.get("app.kubernetes.io/name", workload["metadata"]["name"])
        found[name] = Place(name, NAMESPACE, labels)
    return (*found.values(), *OUTSIDE)


def _selected(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    for one in selector.get("matchExpressions", ()):
        value, values = labels.get(one["key"]), one.get("values", ())
        fits = {"In": value in values, "NotIn": value not in values, "Exists": value is not None}
        if not fits[one["operator"]]:
            return False
    return True


def _is_peer(peer: Mapping[str, Any], place: Place) -> bool:
    block = peer.get("ipBlock")
    if block is not None:
        if not place.address:
            return False
        address = ip_address(place.address)
        return address in ip_network(block["cidr"]) and not any(
            address in ip_network(one) for one in block.get("except", ())
        )
    if place.address:
        return False
    namespaces = peer.get("namespaceSelector")
    own = {"kubernetes.io/metadata.name": place.namespace}
    if place.namespace != NAMESPACE if namespaces is None else not _selected(namespaces, own):
        return False
    return _selected(peer.get("podSelector", {}), place.labels)


def _lets(rule: Mapping[str, Any], key: str, other: Place, port: int, protocol: str) -> bool:
    wanted = rule.get("ports")
    if wanted and not any((one.get("port"), one.get("protocol", TCP)) == (port, protocol) for one in wanted):
        return False
    peers = rule.get(key)
    return not peers or any(_is_peer(peer, other) for peer in peers)


def _allows(policies: Sequence[Manifest], direction: str, own: Place, other: Place, port: int, protocol: str) -> bool:
    if own.namespace != NAMESPACE:
        return True  # not ours to say
    key, peers = direction.lower(), "from" if direction == "Ingress" else "to"
    concerned = [
        one["spec"]
        for one in policies
        if direction in one["spec"].get("policyTypes", _types(one["spec"]))
        and _selected(one["spec"]["podSelector"], own.labels)
    ]
    rules = [rule for spec in concerned for rule in spec.get(key) or ()]
    return not concerned or any(_lets(rule, peers, other, port, protocol) for rule in rules)


def _types(spec: Mapping[str, Any]) -> tuple[str, ...]:
    return ("Ingress", "Egress") if "egress" in spec else ("Ingress",)


def _ports(policies: Sequence[Manifest]) -> set[tuple[int, str]]:
    """Every port that a policy names, and one that none does."""
    named = {(1, TCP)}
    for policy in policies:
        for rule in (*policy["spec"].get("ingress", ()), *policy["spec"].get("egress", ())):
            named |= {(one["port"], one.get("protocol", TCP)) for one in rule.get("ports", ())}
    return named


def open_edges(manifests: Sequence[Manifest]) -> set[Edge]:
    """All connections that the policies of an overlay allow, where an end is ours."""
    policies, places = of_kind(manifests, "NetworkPolicy"), places_of(manifests)
    return {
        (source.name, target.name, port, protocol)
        for source in places
        for target in places
        for port, protocol in _ports(policies)
        if NAMESPACE in (source.namespace, target.namespace)
        and _allows(policies, "Egress", source, target, port, protocol)
        and _allows(policies, "Ingress", target, source, port, protocol)
    }


def wanted_edges(manifests: Sequence[Manifest]) -> set[Edge]:
    """The connections that there must be: calls and facts of the line's own tables, servers, and watchers."""
    here = {place.name for place in places_of(manifests) if place.namespace == NAMESPACE}
    edges = {(place, "dns", 53, protocol) for place in here for protocol in (TCP, UDP)}
    edges |= {(one.name, callee, 50051, TCP) for one in PROGRAMS if one.name in here for callee in one.calls}
    tellers = {flow.producer for flow in FLOW} | {name for flow in FLOW for name in flow.heard_by()}
    edges |= {(name, "nats", 4222, TCP) for name in line_services() if name in tellers}
    edges |= {(name, "postgres", 5432, TCP) for name in (*line_services(), "migrations")}
    watched = [one.name for one in PROGRAMS if one.name in here]
    edges |= {(watcher, name, 9464, TCP) for watcher in ("prometheus", "journey") for name in watched}
    edges |= {("gateway", door, 8080, TCP) for door in ("interface-engine", "journey")}
    buyers = ("eligibility", "prior-auth", "claims-gateway", "remittance")
    edges |= {(name, "world", 443, TCP) for name in (*buyers, "interface-engine", "journey")}
    edges |= {
        (name, "sender", 443, TCP) for name in (*buyers, "interface-engine", "journey")
    }  # it is in the world, too
    edges |= {("interface-engine", place, 22, TCP) for place in ("world", "sender")}
    if "simulator" in here:
        edges |= {(name, "simulator", 8080, TCP) for name in buyers}
    if "collector" in here:
        edges |= {(name, "collector", 4318, TCP) for name in line_services()} | {("collector", "tempo", 4318, TCP)}
    return edges | (_operated_edges() if of_kind(manifests, "Cluster") else set())


def _operated_edges() -> set[Edge]:
    """Of the servers among themselves, and of those who run them."""
    among = {("postgres", "postgres", port, TCP) for port in (5432, 8000)}
    among |= {("operator", "postgres", port, TCP) for port in (5432, 8000)}
    outside = ("world", "inside", "sender")
    among |= {("postgres", place, port, TCP) for place in outside for port in (443, 6443)}
    among |= {("nats", "nats", 6222, TCP), ("keda", "nats", 8222, TCP), ("sender", "interface-engine", 2575, TCP)}
    return among | {("prometheus", "postgres", 9187, TCP), ("prometheus", "nats", 7777, TCP)}


def network(manifests: Sequence[Manifest]) -> list[str]:
    """Complaints: edges that are missing, and edges that nothing asked for."""
    there, wanted = open_edges(manifests), wanted_edges(manifests)
    return [f"missing: {edge}" for edge in sorted(wanted - there)] + [
        f"open: {edge}" for edge in sorted(there - wanted)
    ]
