"""Settings of the console, and what of them cannot go together: refused in one line that names the next step."""

from __future__ import annotations

import ipaddress
from typing import Literal
from urllib.parse import urlsplit

from chassis import ServiceSettings, SettingsError
from pydantic import Field

ROLES = ("viewer", "biller", "admin")
LEAST_SECRET = 32


class ConsoleSettings(ServiceSettings):
    """What the console can be told."""

    console_login: Literal["oidc", "local", "off"] = Field(
        "off",
        description="oidc: sign in at an identity provider; local: no password, on loopback only; off: no console",
    )
    console_url: str = Field(
        "", description="Public address of the console: https://console.example.org; oidc needs it"
    )
    console_secret: str = Field(
        "", repr=False, description="At least 32 characters that seal the cookies, the same on every instance"
    )
    console_issuer: str = Field("", description="OpenID Connect issuer: https://login.example.org/realms/hospital")
    console_client_id: str = Field("", description="The client that the console is at the issuer")
    console_client_secret: str = Field("", repr=False, description="Its secret; empty for a public client (PKCE alone)")
    console_scopes: str = Field("openid profile", description="Scopes that are asked for at the issuer")
    console_roles_claim: str = Field("groups", description="Claim of the ID token that lists a person's groups")
    console_roles: dict[str, str] = Field(
        default_factory=lambda: {role: role for role in ROLES},
        description='Group to role (viewer, biller, admin) as JSON: {"billing-office": "biller"}',
    )
    console_tenant_claim: str = Field("", description="Claim that names the tenant; empty: everybody has RCM_TENANT")
    console_idle_s: int = Field(1800, ge=60, description="Seconds without a request after which a person is signed out")
    console_session_s: int = Field(36_000, ge=60, description="Seconds after which a person signs in again in any case")
    console_attempts: int = Field(20, ge=1, description="Failed attempts to sign in from one address in five minutes")
    trace_url: str = Field(
        "", description="Where a trace is looked at, with {trace_id} in it: https://traces.example.org/trace/{trace_id}"
    )


def is_loopback(host: str) -> bool:
    """Whether an address or name can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_console(settings: ConsoleSettings) -> None:
    """SettingsError for what must not run: a login without a password in reach of others, or half an issuer."""
    unknown = sorted(set(settings.console_roles.values()) - set(ROLES))
    if unknown:
        raise SettingsError("RCM_CONSOLE_ROLES is wrong: map each group to one of viewer, biller and admin")
    if settings.trace_url and "{trace_id}" not in settings.trace_url:
        raise SettingsError("RCM_TRACE_URL is wrong: put {trace_id} where the trace's id belongs")
    if settings.console_login == "local":
        _check_local(settings)
    if settings.console_login == "oidc":
        _check_oidc(settings)


def _check_local(settings: ConsoleSettings) -> None:
    if not is_loopback(settings.listen_host):
        raise SettingsError(
            "RCM_CONSOLE_LOGIN=local asks for no password and is for this machine alone: set RCM_LISTEN_HOST=127.0.0.1,"
            " or RCM_CONSOLE_LOGIN=oidc with RCM_CONSOLE_ISSUER, or RCM_CONSOLE_LOGIN=off"
        )
    if settings.console_url and not is_loopback(urlsplit(settings.console_url).hostname or ""):
        raise SettingsError("RCM_CONSOLE_LOGIN=local has no public address: unset RCM_CONSOLE_URL, or use oidc")


def _check_oidc(settings: ConsoleSettings) -> None:
    for name in ("console_url", "console_issuer", "console_client_id", "console_secret"):
        if not getattr(settings, name):
            wanted = ConsoleSettings.model_fields[name].description
            raise SettingsError(f"RCM_{name.upper()} is not set: RCM_CONSOLE_LOGIN=oidc needs it ({wanted})")
    if len(settings.console_secret) < LEAST_SECRET:
        raise SettingsError(f"RCM_CONSOLE_SECRET is too short: give at least {LEAST_SECRET} random characters")
    for name in ("console_url", "console_issuer"):
        parts = urlsplit(getattr(settings, name))
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise SettingsError(f"RCM_{name.upper()} is not https: cookies and tokens would travel in the open")
