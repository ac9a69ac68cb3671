"""The record of accesses: who saw or did what, written before it is shown or done (45 CFR 164.312(b)).

Rows are only ever added; they are kept six years (45 CFR 164.316(b)(2)(i)).
"""

from __future__ import annotations

from uuid import uuid4

from bus import Database

from journey.console.sessions import Person

_RECORD = """
insert into console_access (access_id, at, subject, name, role, session_key, action, kind, item, journey_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


async def record_access(
    database: Database, person: Person, action: str, kind: str, item: str = "", journey_id: str = ""
) -> None:
    """Writes one row, in a transaction of its own. `action` is a verb (read, release, sign-in), `kind` what it was
    done to (claim, message, session), `item` its id. When this fails, nothing may be shown."""
    async with database.transaction(person.tenant) as conn:
        await conn.execute(
            _RECORD,
            str(uuid4()),
            database.clock.now(),
            person.subject,
            person.name,
            person.role,
            person.session_key,
            action,
            kind,
            item,
            journey_id,
        )
