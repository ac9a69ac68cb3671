"""The channels desk: the feeds as they are configured, and why a change of one was refused."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from journey.console.desks.desk import owners_of, show
from journey.console.guard import Viewer


def router() -> APIRouter:
    """The routes of this desk."""
    made = APIRouter()
    made.add_api_route("/channels", list_channels, methods=["GET"])
    made.add_api_route("/channels/{name}", one_channel, methods=["GET"])
    return made


async def list_channels(request: Request, person: Viewer) -> Response:
    """All feeds."""
    found = await owners_of(request, person).channels()
    return show(request, "channels.html", channels=found.channels, refusal=found.refusal)


async def one_channel(request: Request, person: Viewer, name: str) -> Response:
    """One feed with its versions, the newest first, and the files that are in force."""
    found = await owners_of(request, person).feed(name)
    files = [(one.name, one.content.decode("utf-8", "backslashreplace")) for one in found.files]
    return show(request, "channel.html", channel=found.channel, versions=found.versions, files=files)
