"""deploy/k8s, taken by a real API server: every object of every overlay, and every pod past PodSecurity.

It needs no nodes and no controllers: kube-apiserver with etcd is enough, and the vendors' CustomResourceDefinitions
for `staging` and `production`. RCM_TEST_KUBECONFIG names its kubeconfig; the tests make namespaces of their own there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # the helpers lie here

import k8s_policy as policy  # noqa: E402
from k8s_render import OVERLAYS, builder, named, of_kind, render, workloads  # noqa: E402
from k8s_server import Space, new_space, no_server, pod_from  # noqa: E402
from k8s_spoiled import INVALID, SPOILED, spoil  # noqa: E402

pytestmark = [
    pytest.mark.skipif(builder() is None, reason="no Kustomize 5.5"),
    pytest.mark.skipif(bool(no_server()), reason=no_server()),
]
RESTRICTED = [
    (path, value) for check, path, value in SPOILED if check in (policy.restricted_pods, policy.restricted_containers)
]


@pytest.fixture(scope="module")
def space() -> Iterator[Space]:
    """An empty namespace that enforces what production's does."""
    with new_space(render("production")) as made:
        assert made.apply(of_kind(render("production"), "ServiceAccount")).well
        yield made


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_server_takes_all_of_an_overlay(overlay: str) -> None:
    manifests = render(overlay)
    with new_space(manifests) as space:
        first = space.apply(manifests)
        assert first.well and first.complaints == () and len(first.done) == len(manifests)
        again = space.apply(manifests)
        assert again.well and again.complaints == ()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_passes_admission(overlay: str) -> None:
    manifests = render(overlay)
    with new_space(manifests) as space:
        assert space.apply(of_kind(manifests, "ServiceAccount")).well
        answer = space.create_dry(*map(pod_from, workloads(manifests)))
        assert answer.well and answer.complaints == () and len(answer.done) == len(workloads(manifests))


@pytest.mark.parametrize(("path", "value"), RESTRICTED)
def test_a_pod_that_our_policies_refuse_is_refused_by_the_server(space: Space, path: str, value: Any) -> None:
    manifests = render("production")
    spoil(path, value)(manifests)
    answer = space.create_dry(pod_from(named(manifests, "Deployment", "coding")))
    assert not answer.well and "coding" in " ".join(answer.complaints)


def test_what_is_refused_is_refused_by_pod_security(space: Space) -> None:
    manifests = render("production")
    spoil("Deployment/coding spec template spec securityContext runAsNonRoot", False)(manifests)
    answer = space.create_dry(pod_from(named(manifests, "Deployment", "coding")))
    assert 'violates PodSecurity "restricted:latest"' in " ".join(answer.complaints)


@pytest.mark.parametrize(("path", "value"), INVALID)
def test_a_field_that_our_schemas_refuse_is_refused_by_the_server(space: Space, path: str, value: Any) -> None:
    manifests = render("production")
    spoil(path, value)(manifests)
    answer = space.create_dry(named(manifests, *path.split()[0].split("/")))
    assert not answer.well, answer.done


def test_a_release_goes_over_another_once_its_jobs_are_gone() -> None:
    """As the README says: a Job's image cannot be changed, everything else's can."""
    manifests = render("production")
    with new_space(manifests) as space:
        assert space.apply(manifests).well
        newer = render("production")
        for one in workloads(newer):
            for container in one["spec"]["template"]["spec"]["containers"]:
                container["image"] = container["image"].replace(":0.1.0", ":0.2.0")
        stopped = space.apply(newer)
        assert {one.split('"')[1] for one in stopped.complaints} == {
            one["metadata"]["name"] for one in of_kind(newer, "Job")
        }
        assert space.delete("job", "-l", "app.kubernetes.io/name=migrations").well
        assert space.apply(newer).well
