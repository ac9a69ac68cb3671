"""Writes the manifests that are made from other files; `--check` only says whether they are up to date.

Alert rules become PrometheusRules, because Kustomize cannot put a file into a field. The flow table becomes the
permissions of NATS users.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from bus.flow import ANY, BODY_STORE, DEAD_PREFIX, DEAD_STREAM, FLOW, PARTITIONS, STREAM, SUBJECT_PREFIX

ROOT = Path(__file__).resolve().parent.parent
RULES_FOLDER = ROOT / "deploy" / "observability" / "prometheus" / "rules"
RULES = ROOT / "deploy" / "k8s" / "components" / "traced" / "rules.yaml"
PERMISSIONS = ROOT / "deploy" / "k8s" / "nats" / "permissions.yaml"
HEAD = "# Written by tools/write_manifests.py from {source}: change that, and write this again.\n"
STREAMS = (STREAM, DEAD_STREAM, "RCM_ADVISORIES", f"OBJ_{BODY_STORE}")
CONSUMER_VERBS = ("DURABLE.CREATE", "CREATE", "MSG.NEXT", "DELETE")  # of its own consumers


def prometheus_rules() -> Iterator[dict[str, Any]]:
    """One PrometheusRule for each rule file, with the same groups."""
    for file in sorted(RULES_FOLDER.glob("*.yml")):
        yield {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": f"throughline-{file.stem}"},
            "spec": yaml.safe_load(file.read_text()),
        }


def services() -> tuple[str, ...]:
    """Who tells or hears facts, in the order of the line."""
    named = [name for flow in FLOW for name in (flow.producer, *flow.heard_by()) if name != ANY]
    return tuple(dict.fromkeys(named))


def told_by(service: str) -> list[str]:
    """Subjects of the facts that a service may tell, with any partition."""
    return [f"{SUBJECT_PREFIX}.{flow.event}.*" for flow in FLOW if flow.producer in (service, ANY)]


def _publish(service: str) -> list[str]:
    """Its own facts and dead letters, its own consumers, and what the client asks of JetStream on the way."""
    durables = [f"{service}-{partition}" for partition in range(PARTITIONS)]
    return [
        *told_by(service),
        f"{DEAD_PREFIX}.{service}",
        *(f"$JS.API.CONSUMER.{verb}.{STREAM}.{one}" for one in durables for verb in CONSUMER_VERBS),
        *(f"$JS.ACK.{STREAM}.{one}.>" for one in durables),
        f"$JS.API.CONSUMER.INFO.{STREAM}.*",  # how far the others are: what nobody needs again leaves the outbox
        *(f"$JS.API.STREAM.{verb}.{stream}" for stream in STREAMS for verb in ("INFO", "CREATE", "UPDATE")),
        f"$O.{BODY_STORE}.>",
        *(f"$JS.API.{call}.OBJ_{BODY_STORE}" for call in ("STREAM.PURGE", "STREAM.MSG.GET", "CONSUMER.CREATE")),
        *(f"$JS.API.{call}.OBJ_{BODY_STORE}.>" for call in ("DIRECT.GET", "CONSUMER.CREATE", "CONSUMER.DELETE")),
        f"$JS.FC.OBJ_{BODY_STORE}.>",
        "$JS.API.STREAM.NAMES",
        "$JS.API.INFO",
    ]


def nats_users() -> list[dict[str, Any]]:
    """A user for each service, named as in its certificate."""
    return [
        {"user": one, "permissions": {"publish": {"allow": _publish(one)}, "subscribe": {"allow": ["_INBOX.>"]}}}
        for one in services()
    ]


def rules_text() -> str:
    """components/traced/rules.yaml as it must be."""
    dumped = yaml.safe_dump_all(prometheus_rules(), sort_keys=False, width=120, allow_unicode=True)
    return HEAD.format(source="deploy/observability/prometheus/rules") + dumped


def permissions_text() -> str:
    """nats/permissions.yaml as it must be."""
    values = {"config": {"merge": {"authorization": {"users": nats_users()}}}}
    return HEAD.format(source="the flow table") + yaml.safe_dump(values, sort_keys=False, width=120)


def main() -> int:
    """0 when both files are (now) up to date."""
    written = {RULES: rules_text(), PERMISSIONS: permissions_text()}
    stale = [file for file, text in written.items() if file.read_text() != text]
    if "--check" in sys.argv:
        for file in stale:
            print(f"{file.relative_to(ROOT)} is not what its source says: run tools/write_manifests.py")
        return 1 if stale else 0
    for file in stale:
        file.write_text(written[file])
    return 0


if __name__ == "__main__":
    sys.exit(main())
