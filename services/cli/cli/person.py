"""`throughline person`: which Patients are one person, what is to be decided, and merges that can be undone."""

from __future__ import annotations

import getpass
import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rcm.engine.v1 import persons_pb2 as pb
from rich.table import Table

from cli import render
from cli.asking import HOME, Folder, ask_line, fail

person_app = typer.Typer(help="Patients that are one person: show, review, link, unlink, merges.", no_args_is_help=True)
_COLORS = {"review": "yellow", "linked": "green", "same": "green", "different": "red"}
One = Annotated[str, typer.Argument(help="A Patient's id.")]
Other = Annotated[str, typer.Argument(help="Another Patient's id.")]
By = Annotated[str, typer.Option(help="Who decides; the user of this machine when not said.")]


@person_app.command("show")
def show(patient: One, folder: Folder = HOME / "up") -> None:
    """The person whom a Patient stands for, with all Patients that do: patient data, for your eyes."""
    found = ask_line(folder, lambda line: line.persons("GetPerson", pb.GetPersonRequest(patient=patient)))
    console = render.console()
    console.print(f"person {found.person}")
    console.print(_patients(found.patients))
    if found.pairs:
        console.print(_pairs(found.pairs))


@person_app.command("review")
def review(
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    folder: Folder = HOME / "up",
) -> None:
    """Pairs of Patients that a person is to decide about, the longest waiting first."""
    found = ask_line(folder, lambda line: line.persons("ListReviews", pb.ListReviewsRequest(limit=limit)))
    console = render.console()
    console.print(_pairs(found.pairs) if found.pairs else "nothing is to be decided")


@person_app.command("link")
def link(patient: One, other: Other, by: By = "", folder: Folder = HOME / "up") -> None:
    """Decide that two Patients are the same person."""
    _decide(patient, other, True, by, folder)


@person_app.command("unlink")
def unlink(patient: One, other: Other, by: By = "", folder: Folder = HOME / "up") -> None:
    """Decide that two Patients are different persons: they are not asked about again unless more speaks for it."""
    _decide(patient, other, False, by, folder)


@person_app.command("merges")
def merges(
    patient: Annotated[str, typer.Argument(help="Only this Patient's.")] = "",
    undo: Annotated[str, typer.Option(help="The id of a merge to take back.")] = "",
    undone: Annotated[bool, typer.Option("--undone", help="Those that were taken back too.")] = False,
    by: By = "",
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    folder: Folder = HOME / "up",
) -> None:
    """Merges of Patients that feeds have told of, the newest first; or take one back with --undo."""
    console = render.console()
    if undo:
        request = pb.UndoMergeRequest(id=undo, by=by or getpass.getuser())
        done = ask_line(folder, lambda line: line.persons("UndoMerge", request))
        console.print(f"{done.merge.prior} and {done.merge.survivor} are two again: {done.restored} resources restored")
        return
    wanted = pb.ListMergesRequest(patient=patient, undone=undone, limit=limit)
    found = ask_line(folder, lambda line: line.persons("ListMerges", wanted))
    console.print(_merges(found.merges) if found.merges else "no merges")


def _decide(patient: str, other: str, same: bool, by: str, folder: Any) -> None:
    if patient == other:
        raise fail("name two Patients")
    request = pb.DecidePairRequest(first=patient, second=other, same=same, by=by or getpass.getuser())
    pair = ask_line(folder, lambda line: line.persons("DecidePair", request)).pair
    render.console().print(f"{pair.first} and {pair.second}: {pair.state}")


def _patients(patients: Sequence[pb.PersonPatient]) -> Table:
    table = Table("patient", "name", "born", "sex", "numbers", "active")
    for one in patients:
        told = json.loads(one.patient or b"{}")
        name: dict[str, Any] = next(iter(told.get("name", ())), {})
        names = " ".join([*name.get("given", ()), name.get("family", "")])
        numbers = "\n".join(f"{n.get('system', '')} {n.get('value', '')}" for n in told.get("identifier", ()))
        active = "no" if told.get("active") is False else ""
        table.add_row(one.id, names, told.get("birthDate", ""), told.get("gender", ""), numbers, active)
    return table


def _pairs(pairs: Sequence[pb.PatientPair]) -> Table:
    table = Table("patient", "patient", "state", "bits", "because", "by")
    for one in pairs:
        color = _COLORS.get(one.state, "default")
        state = f"[{color}]{one.state}[/]{' merged' if one.merged else ''}"
        table.add_row(one.first, one.second, state, f"{one.score:.1f}", " ".join(one.fired), one.decided_by)
    return table


def _merges(found: Sequence[pb.PatientMerge]) -> Table:
    table = Table("merge", "patient", "became", "when", "by", "changes", "undone")
    for one in found:
        when = one.merged_at.ToDatetime().isoformat(" ", "seconds")
        undone = one.undone_at.ToDatetime().isoformat(" ", "seconds") if one.HasField("undone_at") else ""
        table.add_row(
            one.id, one.prior, one.survivor, when, one.merged_by, str(one.changes), f"{undone} {one.undone_by}"
        )
    return table
