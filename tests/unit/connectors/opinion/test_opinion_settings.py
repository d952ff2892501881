"""Settings: off by default, the key from the environment and never shown, nothing unencrypted by accident."""

import pytest
from pydantic import ValidationError

from connectors.opinion.settings import OpinionSettings
from infra.local.json_logs import secrets


def test_it_is_off_by_default() -> None:
    assert OpinionSettings().missing == ("PULSE_OPINION_URL", "PULSE_OPINION_MODEL")


def test_the_key_is_masked_wherever_settings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_OPINION_API_KEY", "sk-a-very-secret-key")
    settings = OpinionSettings()
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "sk-a-very-secret-key"
    assert "secret" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert "sk-a-very-secret-key" in secrets({"PULSE_OPINION_API_KEY": "sk-a-very-secret-key"})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:11434/v1", "http://localhost:8000/v1", "http://[::1]:1/v1"]
)
def test_a_model_on_this_machine_needs_no_tls(url: str) -> None:
    assert OpinionSettings(url=url).local


def test_texts_leave_the_machine_encrypted_or_by_permission() -> None:
    with pytest.raises(ValidationError, match="PULSE_OPINION_ALLOW_HTTP"):
        OpinionSettings(url="http://llm.example.com/v1")
    assert not OpinionSettings(url="http://llm.example.com/v1", allow_http=True).local
    assert not OpinionSettings(url="https://llm.example.com/v1").local


@pytest.mark.parametrize("url", ["ftp://x/v1", "https://user:pw@host/v1", "https://host/v1?key=1", "host/v1"])
def test_an_address_with_secrets_or_of_no_web_server_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        OpinionSettings(url=url)
    assert url not in str(caught.value)
