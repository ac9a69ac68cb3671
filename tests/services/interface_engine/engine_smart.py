"""A registered client of a door as a site has it, and the assertions with which it gets its tokens."""

from __future__ import annotations

import uuid
from typing import Any

from engine_world import World
from interface_engine.entry_token import token_url_of
from interface_engine.handlers.access import register_client
from interface_engine.model_access import Registration, Scopes
from interface_engine.store.access import AccessStore
from joserfc import jwt
from joserfc.jwk import ECKey

NAME = "ehr"
KEY = ECKey.generate_key("P-384", {"kid": "tests"}, private=True)


async def register(world: World, scopes: str = "system/*.cruds") -> None:
    """Makes the client known."""
    client = Registration(NAME, "default", Scopes.read(scopes), jwks={"keys": [KEY.as_dict(private=False)]})
    async with world.database.unit(world.tenant) as unit:
        await register_client(AccessStore(unit), client, {"default"})


def assertion(world: World, **changes: Any) -> str:
    """A signed statement of who we are, good for one token."""
    mine = f"{world.tenant}.{NAME}"
    claims = {"iss": mine, "sub": mine, "aud": token_url_of(world.door.base_url), "jti": uuid.uuid4().hex}
    claims |= {"exp": int(world.clock.now().timestamp()) + 240}
    return jwt.encode({"alg": "ES384", "kid": "tests"}, claims | changes, KEY, algorithms=["ES384"])
