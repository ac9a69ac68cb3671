"""The guides are run: their commands in order against a line, and what they print is what stands below them.

A block ```sh run is run; the ```text block after it is what it prints, with `...` for what differs or was left out.
White space does not count. The guides start in the repository's root with a line up in `.run/up`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from cli.app import main
from cli.client import Place
from cli.stack import Stack
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))  # k8s_render.py lies here

from k8s_render import builder, of_kind, pod_of, workloads

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDES = ("connect-an-ehr.md", "ehr-vendors.md")
WITHIN_S = 300  # for the commands of one guide; a busy machine takes long to start a command
TOOLS = ("bash", "timeout", "curl", "openssl", "sed", "grep")
MARK = "@@ block"
_FENCE = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?P<file>[^)#:\s]*)(?:#(?P<part>[^)\s]*))?\)")

runs = pytest.mark.skipif(
    not all(map(shutil.which, TOOLS)), reason=f"the guides' commands need {', '.join(TOOLS)} on the PATH"
)


@dataclass(frozen=True)
class Block:
    """Commands, and what the guide says that they print; empty when it does not say."""

    commands: str
    printed: str


def fences_of(guide: str) -> list[tuple[str, str]]:
    """The blocks of a guide: what stands behind the fence, and the text."""
    return [(one["kind"], one["text"]) for one in _FENCE.finditer((DOCS / guide).read_text())]


def blocks_of(guide: str) -> list[Block]:
    """The commands of a guide that are run."""
    fences = fences_of(guide)
    after = [*fences[1:], ("", "")]
    return [
        Block(text, next_text if next_kind == "text" else "")
        for (kind, text), (next_kind, next_text) in zip(fences, after, strict=True)
        if kind == "sh run"
    ]


def missing(said: str, printed: str) -> str:
    """The first piece of `said` that does not come, in its order, in what was printed; empty when all do."""
    there = "".join(printed.split())
    for piece in filter(None, "".join(said.split()).split("...")):
        _, found, there = there.partition(piece)
        if not found:
            return piece
    return ""


def run_guide(guide: str, folder: Path, port: int) -> list[tuple[Block, str]]:
    """Every block with what it printed. AssertionError with the output when a command fails."""
    blocks = blocks_of(guide)
    script = "\n".join(f"echo '{MARK}'\n{one.commands}" for one in blocks).replace("PORT=2575", f"PORT={port}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RCM_")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    environment["COLUMNS"] = "200"
    bash = ["timeout", "--kill-after=5", str(WITHIN_S), "bash", "-eu", "-o", "pipefail", "-c", script]
    done = subprocess.run(
        bash, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    outputs = done.stdout.split(f"{MARK}\n")[1:]
    last = f"{blocks[len(outputs) - 1].commands}{outputs[-1]}{done.stderr[-2000:]}"
    assert done.returncode == 0, f"ended with {done.returncode} at:\n{last}"
    return list(zip(blocks, outputs, strict=True))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that looks like the repository's root to the guides, with a line up in it."""
    folder = tmp_path_factory.mktemp("guides")
    folder.chmod(0o711)
    (folder / "site" / "interface-engine" / "sources").mkdir(parents=True)
    for name in ("docs", "services"):
        (folder / name).symlink_to(ROOT / name)
    with Stack(folder / ".run" / "up", trace=False, site=folder / "site"):
        yield folder


@runs
@pytest.mark.parametrize("guide", GUIDES)
def test_what_a_guide_says_is_what_happens(guide: str, desk: Path, unused_tcp_port: int) -> None:
    for block, printed in run_guide(guide, desk, unused_tcp_port):
        piece = missing(block.printed, printed)
        assert not piece, f"{block.commands}\nshould print\n{piece}\nand printed\n{printed}"


@runs
def test_connect_makes_the_commands_know_a_line_elsewhere(desk: Path, tmp_path: Path) -> None:
    state = json.loads((desk / ".run" / "up" / "stack.json").read_text())
    doors = [
        part for name in ("interface-engine", "journey", "remittance") for part in (f"--{name}", state["grpc"][name])
    ]
    folder = tmp_path / "there"
    said = CliRunner().invoke(
        main, ["connect", "--folder", str(folder), "--fhir", state["fhir_url"], *doors, "--submit"]
    )
    assert said.exit_code == 0, said.output
    assert (folder / "stack.json").stat().st_mode & 0o077 == 0
    place = Place.read(folder / "stack.json")
    assert (place.fhir_url, set(place.clients)) == (state["fhir_url"], {"default", "synthea"})
    assert CliRunner().invoke(main, ["status", "--folder", str(folder)]).exit_code == 0
    doors[1] = "127.0.0.1:1"
    wrong = CliRunner().invoke(main, ["connect", "--folder", str(folder), "--fhir", state["fhir_url"], *doors])
    assert wrong.exit_code == 1 and len(wrong.output.strip().splitlines()) == 1


@pytest.mark.skipif(
    builder() is None, reason="no Kustomize 5.5: put kustomize, or a kubectl of 1.32 or newer, on the PATH"
)
def test_the_overlay_of_the_guide_renders_with_its_images_address_and_files(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    mine = tmp_path / "deploy" / "k8s" / "overlays" / "mine"
    first, files = [text for kind, text in fences_of("install-kubernetes.md") if kind == "yaml"][:2]
    named = yaml.safe_load(files)["configMapGenerator"]
    for file in (file for one in named for file in one["files"]):
        (mine / file).parent.mkdir(parents=True, exist_ok=True)
        (mine / file).write_text("")
    (mine / "kustomization.yaml").write_text(first + files.partition("\n")[2])
    command = builder()
    assert command is not None
    done = subprocess.run([*command, str(mine)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    made = [one for one in yaml.safe_load_all(done.stdout) if one]
    images = {one["image"] for made_by in workloads(made) for one in pod_of(made_by)["containers"]}
    assert not [image for image in images if image.startswith("ghcr.io/throughline/")]
    assert "throughline/coding:0.1.0" in images
    assert not re.search(r"example\.org|192\.0\.2\.", done.stdout)
    mounted = {
        volume["configMap"]["name"]
        for one in workloads(made)
        for volume in pod_of(one)["volumes"]
        if "configMap" in volume
    }
    assert {
        one["metadata"]["name"] for one in of_kind(made, "ConfigMap") if "site-" in one["metadata"]["name"]
    } <= mounted


@pytest.mark.parametrize("guide", (*GUIDES, "install-kubernetes.md"))
def test_the_links_of_a_guide_lead_somewhere(guide: str) -> None:
    for link in _LINK.finditer((DOCS / guide).read_text()):
        page = DOCS / (link["file"] or guide)
        assert page.exists(), link["file"]
        assert not link["part"] or link["part"] in headings_of(page), link[0]


def headings_of(page: Path) -> set[str]:
    """The names under which the headings of a page are linked to."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def test_a_piece_that_was_not_printed_is_named() -> None:
    assert missing("a ... c", "a b c") == ""
    assert missing("a ... c", "a b") == "c"
    assert missing("b a", "a b") == "ba"
    assert missing("b ... a", "a b") == "a"
