"""The tables that the bus keeps in every service's schema. Row-level security is added by the migration helper."""

# tenant is filled in from the transaction's own setting; the relay role alone sees all tenants.
_TENANT = "tenant text not null default current_setting('app.tenant')"

BUS_TABLES: dict[str, str] = {
    "outbox": f"""
        {_TENANT},
        event_id text not null,
        position bigint generated always as identity,
        type text not null,
        subject text not null,
        envelope bytea not null,
        trace text not null default '',
        created_at timestamptz not null,
        published_at timestamptz,
        generation timestamptz,
        stream_seq bigint,
        confirmed_at timestamptz,
        primary key (tenant, event_id)""",
    "inbox": f"""
        {_TENANT},
        event_id text not null,
        handled_at timestamptz not null default now(),
        primary key (tenant, event_id)""",
    "timer": f"""
        {_TENANT},
        kind text not null,
        key text not null,
        due_at timestamptz not null,
        payload bytea not null default '',
        journey_id text not null default '',
        trace text not null default '',
        attempts integer not null default 0,
        primary key (tenant, kind, key)""",
    "blocked": f"""
        {_TENANT},
        ordering_key text not null,
        event_id text not null,
        failures integer not null default 0,
        primary key (tenant, ordering_key, event_id)""",
    "dead_letter": f"""
        {_TENANT},
        event_id text not null,
        type text not null,
        reason text not null,
        envelope bytea not null,
        died_at timestamptz not null,
        primary key (tenant, event_id)""",
}

BUS_INDEXES: tuple[str, ...] = (
    # Envelopes live for a short while: compressing each costs more than the space that it saves.
    "alter table outbox alter column envelope set storage external",
    "create index outbox_unpublished on outbox (position) where published_at is null",
    "create index outbox_unconfirmed on outbox (stream_seq) where published_at is not null and confirmed_at is null",
    "create index timer_due on timer (due_at)",
)

# Of services that carry out commands once (bus/once.py); the tenant and the key's tenant are added by the helper.
ONCE_COLUMNS = """
    key text not null,
    digest text not null,
    about text not null default '',
    answer bytea not null default '',
    status text not null default '',
    leased_until timestamptz not null,
    answered_at timestamptz,
    primary key (tenant, key)"""
