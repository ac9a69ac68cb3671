"""`throughline migrate`: brings the schemas of the services to the newest revision, or says what that would do."""

from __future__ import annotations

from typing import Annotated

import typer
from chassis.migrations.__main__ import PLAN, main


def migrate(
    services: Annotated[list[str] | None, typer.Argument(help="The services; all that are installed without.")] = None,
    plan: Annotated[bool, typer.Option(help="Say what would be done, and do nothing.")] = False,
) -> None:
    """Bring the schemas to the newest revision, as the owner in RCM_POSTGRES_OWNER_URL.

    A migration that takes away what running code still needs is refused, and named.
    """
    code = main([*(services or []), *([PLAN] if plan else [])])
    if code:
        raise typer.Exit(code)
