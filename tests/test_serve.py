"""The settings that `serve` writes for Core Tools let the app run on the sandbox."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from check_tokens.blueprint import check
from sandbox import serve
from sandbox.azurite import Azurite
from sandbox.scenario import load_scenario
from sandbox.stage import Stage

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)


@pytest.mark.e2e
async def test_the_app_runs_on_the_settings_that_serve_writes(
    azurite: Azurite, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = load_scenario("sample").tenant(NOW)
    async with Stage(tenant, NOW, azurite=azurite) as stage:
        values = json.loads(json.dumps(serve.local_settings(stage)))["Values"]
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
            monkeypatch.setenv(name, values[name])

        assert await check(NOW, values)
        assert values["CHECK_SCHEDULE"] == "*/30 * * * * *"


def test_settings_of_ones_own_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "local.settings.json"
    settings.write_text("mine", encoding="utf-8")
    monkeypatch.setattr(serve, "SETTINGS", settings)

    assert serve.main([]) == 1
    assert settings.read_text(encoding="utf-8") == "mine"
    assert "is there already" in capsys.readouterr().out
