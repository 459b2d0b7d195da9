"""The settings: one table, read from the environment, refused when wrong."""

from __future__ import annotations

import pydantic
import pytest

from aggflow.errors import SettingsError
from aggflow.settings import PREFIX, Settings, read_settings


def test_defaults_without_an_environment():
    assert read_settings() == Settings()
    assert read_settings().home == ".aggflow"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_table_has_a_sentence_and_a_good_default_for_each(name: str):
    field = Settings.model_fields[name]
    assert field.description is not None
    assert field.description.endswith(".")
    assert not field.is_required()
    # a default obeys the bounds that a given value has to obey
    assert getattr(Settings.model_validate({name: field.default}), name) == field.default


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        (n, "Seconds")
        for n in ("live_ttl", "lease_ttl", "lease_heartbeat", "lease_wait", "retry_wait", "garbage_grace")
    ]
    + [("resident_bytes", "Bytes"), ("batch_rows", "rows")],
)
def test_table_names_the_unit(name: str, unit: str):
    assert unit in (Settings.model_fields[name].description or "")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("home", "/data/shop", "/data/shop"),
        ("home", "postgresql://me@host/db", "postgresql://me@host/db"),
        ("workspace", "acme7", "acme7"),
        ("batch_rows", "500", 500),
        ("live_ttl", "0", 0.0),
        ("lease_heartbeat", "0.25", 0.25),
    ],
)
def test_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object):
    monkeypatch.setenv(PREFIX + name.upper(), text)
    assert getattr(read_settings(), name) == value


def test_unknown_setting_names_the_nearest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGGFLOW_LIVE_TLL", "1")
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert str(caught.value) == "there is no setting AGGFLOW_LIVE_TLL (did you mean 'AGGFLOW_LIVE_TTL'?)"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("batch_rows", "many"),
        ("batch_rows", "1.5"),
        ("batch_rows", ""),
        ("live_ttl", "2s"),
        ("live_ttl", "nan"),
        ("batch_rows", "0"),
        ("live_ttl", "-0.1"),
        ("lease_ttl", "0"),
        ("compact_segments", "1"),
        ("workspace", "Shop"),
        ("workspace", "../shop"),
        ("workspace", "shop\n"),
        ("workspace", ""),
    ],
)
def test_wrong_type_or_out_of_range_is_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str, text: str):
    monkeypatch.setenv(PREFIX + name.upper(), text)
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert str(caught.value).startswith(f"{PREFIX}{name.upper()}: ")
    assert str(caught.value).endswith(f"not {text!r}")
    assert caught.value.__cause__ is None
    assert caught.value.who == "operator"


def test_other_variables_are_not_ours(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AGGFLOWER_HOME", "x")
    monkeypatch.setenv("HOME_AGGFLOW_HOME", "x")
    assert read_settings() == Settings()


def test_settings_are_frozen_and_closed():
    with pytest.raises(pydantic.ValidationError):
        Settings().live_ttl = 1.0
    with pytest.raises(pydantic.ValidationError):
        Settings.model_validate({"live_tll": 1.0})
