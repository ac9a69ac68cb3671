"""Renders the overlays, and finds what the checks look at: pods, and what a service is told."""

from __future__ import annotations

import base64
import pickle
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
FOLDER = Path(__file__).parents[2] / "deploy" / "k8s"
OVERLAYS = ("dev", "staging", "production")
LEAST_VERSION = (5, 5)  # of Kustomize: the oldest with which this was seen to render
WORKLOADS = ("Deployment", "StatefulSet", "Job")


@cache
def builder() -> tuple[str, ...] | None:
    """The command that renders: kustomize itself, or the one in kubectl; None where neither is new enough."""
    for command, version in (
        (("kustomize", "build"), ("version",)),
        (("kubectl", "kustomize"), ("version", "--client")),
    ):
        if shutil.which(command[0]) is None:
            continue
        said = subprocess.run([command[0], *version], capture_output=True, text=True, timeout=60).stdout
        found = re.search(r"(?:^|Kustomize Version: )v(\d+)\.(\d+)", said)
        if found and (int(found[1]), int(found[2])) >= LEAST_VERSION:
            return command
    return None


@cache
def _parsed(overlay: str) -> bytes:
    command = builder()
    assert command is not None
    done = subprocess.run(
        [*command, str(FOLDER / "overlays" / overlay)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return pickle.dumps(list(yaml.load_all(done.stdout, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))))


def render(overlay: str) -> list[Manifest]:
    """All manifests of an overlay; fresh ones each time, so that a test may spoil them."""
    return pickle.loads(_parsed(overlay))  # type: ignore[no-any-return]


def name_of(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def of_kind(manifests: Sequence[Manifest], *kinds: str) -> list[Manifest]:
    return [one for one in manifests if one["kind"] in kinds]


def named(manifests: Sequence[Manifest], kind: str, name: str) -> Manifest:
    """The one of this kind and name. KeyError where there is none."""
    for one in of_kind(manifests, kind):
        if one["metadata"]["name"] == name:
            return one
    raise KeyError(f"{kind}/{name}")


def workloads(manifests: Sequence[Manifest]) -> list[Manifest]:
    """Everything that makes pods."""
    return of_kind(manifests, *WORKLOADS)


def pod_of(workload: Manifest) -> dict[str, Any]:
    """The pod's spec."""
    return workload["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def labels_of(workload: Manifest) -> dict[str, str]:
    """The pod's labels."""
    return workload["spec"]["template"]["metadata"]["labels"]  # type: ignore[no-any-return]


def containers_of(workload: Manifest) -> list[dict[str, Any]]:
    return [*pod_of(workload).get("initContainers", ()), *pod_of(workload)["containers"]]


def line_deployments(manifests: Sequence[Manifest]) -> list[Manifest]:
    """The Deployments of our own services, the simulator among them where it is."""
    ours = "app.kubernetes.io/part-of"
    return [one for one in of_kind(manifests, "Deployment") if one["metadata"]["labels"].get(ours) == "throughline"]


def environment_of(manifests: Sequence[Manifest], deployment: Manifest) -> dict[str, str]:
    """What the container finds in its environment: its ConfigMaps, the later over the earlier, and its own `env`."""
    container = pod_of(deployment)["containers"][0]
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        found |= named(manifests, "ConfigMap", source["configMapRef"]["name"])["data"]
    return found | {one["name"]: one["value"] for one in container.get("env", ()) if "value" in one}


def secret_files_of(manifests: Sequence[Manifest], deployment: Manifest) -> dict[str, str]:
    """The files in its folder of secrets: a Secret's, or what an ExternalSecret makes of values of 32 letters."""
    for volume in pod_of(deployment).get("volumes", ()):
        if volume["name"] == "secrets":
            return _secret_files(manifests, volume["projected"]["sources"][0]["secret"]["name"])
    return {}


def _secret_files(manifests: Sequence[Manifest], name: str) -> dict[str, str]:
    secrets = [one for one in of_kind(manifests, "Secret") if one["metadata"]["name"] == name]
    if secrets:
        data: Mapping[str, str] = secrets[0].get("data", {})
        return {key: base64.b64decode(value).decode() for key, value in data.items()}
    template = named(manifests, "ExternalSecret", name)["spec"]["target"]["template"]["data"]
    return {key: re.sub(r"\{\{[^}]+\}\}", "k" * 32, value) for key, value in template.items()}


def made_secrets(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Names of the Secrets that there will be: our own, and those that operators make."""
    for one in manifests:
        match one["kind"]:
            case "Secret" | "ExternalSecret":
                yield one["metadata"]["name"]
            case "Certificate":
                yield one["spec"]["secretName"]
            case "Cluster":  # CloudNativePG: the owner's connection, and its authority
                yield from (f"{one['metadata']['name']}-app", f"{one['metadata']['name']}-ca")
