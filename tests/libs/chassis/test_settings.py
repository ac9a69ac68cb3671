"""A service says which setting is missing or wrong, and never what it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from chassis.settings import ServiceSettings, SettingsError, addresses_from, describe_settings, load_settings
from clearinghouse import RealtimeSettings, Trading
from pydantic import Field


class Settings(ServiceSettings):
    clearinghouse_url: str = Field(description="Base URL of the clearinghouse")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RCM_POSTGRES_URL", "postgresql://probe@/throughline")
    monkeypatch.setenv("RCM_NATS_URL", "nats://127.0.0.1:4222")
    monkeypatch.setenv("RCM_CLEARINGHOUSE_URL", "http://clearinghouse")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RCM_GRPC_PORT", "7001")
    settings = load_settings(Settings)
    assert (settings.grpc_port, settings.tenant, settings.clearinghouse_url) == (7001, "demo", "http://clearinghouse")


def test_a_missing_one_is_named_with_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RCM_CLEARINGHOUSE_URL")
    with pytest.raises(SettingsError) as raised:
        load_settings(Settings)
    assert str(raised.value) == "RCM_CLEARINGHOUSE_URL is not set: set it (Base URL of the clearinghouse)"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RCM_GRPC_PORT", "seven-thousand"),
        ("RCM_GRPC_PORT", "70000"),
        ("RCM_TENANT", "No Tenant"),
        ("RCM_TRACING", "perhaps"),
        ("RCM_LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_one_is_named_and_its_value_is_not(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        load_settings(Settings)
    line = str(raised.value)
    assert line.startswith(f"{name} is wrong")
    assert value not in line
    assert "\n" not in line


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RCM_POSTGRES_URL", "")
    monkeypatch.setenv("RCM_GRPC_PORT", "")
    with pytest.raises(SettingsError, match="RCM_POSTGRES_URL is not set"):
        load_settings(Settings)


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "rcm_postgres_url").write_text("postgresql://probe:secret@db/throughline")
    monkeypatch.delenv("RCM_POSTGRES_URL")
    monkeypatch.setenv("RCM_SECRETS_DIR", str(tmp_path))
    settings = load_settings(Settings)
    assert settings.postgres_url == "postgresql://probe:secret@db/throughline"
    assert "secret" not in repr(settings)


def test_addresses_of_other_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RCM_ADDRESS_CLAIMS_GATEWAY", "127.0.0.1:7005")
    settings = load_settings(Settings)
    assert settings.address_of("claims-gateway") == "127.0.0.1:7005"
    with pytest.raises(SettingsError, match="RCM_ADDRESS_PRIOR_AUTH is not set"):
        settings.address_of("prior-auth")
    assert addresses_from({"RCM_ADDRESS_X": "", "OTHER_ADDRESS_Y": "b"}) == {}


def test_every_setting_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RCM_POSTGRES_URL", "postgresql://probe:secret@db/throughline")
    text = describe_settings(Settings)
    assert len(text.splitlines()) == len(Settings.model_fields)
    assert "RCM_CLEARINGHOUSE_URL" in text
    assert "RCM_ADDRESS_<SERVICE>" in text
    assert "secret" not in text
    assert all(field.description for field in Settings.model_fields.values())


def test_the_sites_own_files_lie_in_a_folder_of_each_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert load_settings(Settings).site_folder("prior-auth") is None
    monkeypatch.setenv("RCM_SITE_DIR", str(tmp_path))
    assert load_settings(Settings).site_folder("prior-auth") == tmp_path / "prior-auth"


def test_a_mix_in_is_read_like_the_settings_of_every_service(monkeypatch: pytest.MonkeyPatch) -> None:
    class Asking(RealtimeSettings, ServiceSettings):
        pass

    monkeypatch.setenv("RCM_USAGE", "P")
    assert load_settings(Asking).trading() == Trading("THROUGHLINE", "SYNCLEAR", "P")
    monkeypatch.setenv("RCM_USAGE", "X")
    with pytest.raises(SettingsError, match="RCM_USAGE is wrong"):
        load_settings(Asking)
