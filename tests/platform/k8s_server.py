"""An API server to try out on, spoken to by kubectl, and a namespace of our own in it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from k8s_render import Manifest, labels_of, of_kind, pod_of

VARIABLE = "RCM_TEST_KUBECONFIG"
WITHIN_S = 180.0


@dataclass(frozen=True)
class Answer:
    """What kubectl said: whether all went well, what it did line by line, and its warnings and errors."""

    well: bool
    done: tuple[str, ...]
    complaints: tuple[str, ...]


def no_server() -> str:
    """Why there is no server to try out on; "" when there is one."""
    if not os.environ.get(VARIABLE):
        return f"{VARIABLE} names no kubeconfig of an API server to try out on"
    return "" if shutil.which("kubectl") else "no kubectl on the PATH"


def _kubectl(*arguments: str, given: Sequence[Manifest] = ()) -> Answer:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(given)})
    command = ["kubectl", "--kubeconfig", os.environ[VARIABLE], *arguments]
    said = subprocess.run(command, input=text, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    lines = (tuple(one for one in stream.splitlines() if one) for stream in (said.stdout, said.stderr))
    return Answer(said.returncode == 0, *lines)


@dataclass(frozen=True)
class Space:
    """A namespace, into which manifests are moved before they are applied."""

    name: str

    def apply(self, manifests: Sequence[Manifest], *flags: str) -> Answer:
        """By the server's own merge; a field that it does not know is an error."""
        flags = ("--server-side", "--validate=strict", *flags)
        return _kubectl("apply", *flags, "-f", "-", given=[self._moved(one) for one in manifests])

    def create_dry(self, *manifests: Manifest) -> Answer:
        """All that happens to new objects, admission included, but that they are not kept."""
        given = [self._moved(one) for one in manifests]
        return _kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", given=given)

    def delete(self, *what: str) -> Answer:
        return _kubectl("delete", "--namespace", self.name, "--wait=false", *what)

    def _moved(self, manifest: Manifest) -> Manifest:
        if manifest["kind"] == "Namespace":
            return manifest | {"metadata": manifest["metadata"] | {"name": self.name}}
        return manifest | {"metadata": manifest["metadata"] | {"namespace": self.name}}


@contextmanager
def new_space(manifests: Sequence[Manifest]) -> Iterator[Space]:
    """A new namespace like that of the overlay. Its default account is there, as a controller would have made it."""
    space = Space(f"throughline-{secrets.token_hex(4)}")
    account: dict[str, Any] = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    made = space.apply([*of_kind(manifests, "Namespace"), account], "--force-conflicts")
    assert made.well, made.complaints
    try:
        yield space
    finally:
        kinds = {one["kind"] for one in manifests} - {"Namespace"}
        space.delete("--all", ",".join(sorted(kinds)))
        _kubectl("delete", "--wait=false", "namespace", space.name)


def pod_from(workload: Manifest) -> Manifest:
    """The pod that a workload's controller would make."""
    metadata = {"name": workload["metadata"]["name"], "labels": labels_of(workload)}
    pod: dict[str, Any] = json.loads(json.dumps(pod_of(workload)))
    claims = [one["metadata"]["name"] for one in workload["spec"].get("volumeClaimTemplates", ())]
    volumes = [{"name": one, "persistentVolumeClaim": {"claimName": one}} for one in claims]
    pod["volumes"] = [*pod.get("volumes", ()), *volumes]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod}
