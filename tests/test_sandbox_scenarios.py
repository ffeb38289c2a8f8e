"""Scenario files say what a tenant is like, and a slip of the pen in them is found."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.graph_objects import GraphSource
from sandbox.large_tenant import LARGE_TENANT_PROBLEMS, large_tenant
from sandbox.scenario import SCENARIOS, Scenario, ScenarioError, load_scenario
from tests.sandbox_clients import VPP_PATH, signed_in

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def scenario(folder: Path, text: str) -> Scenario:
    path = folder / "mine.toml"
    path.write_text(f'about = "Mine"\n{text}', encoding="utf-8")
    return Scenario(path)


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_scenario_can_be_built_and_played_to_its_end(path: Path) -> None:
    loaded = Scenario(path)
    tenant = loaded.tenant(NOW)
    for days, step in enumerate(loaded.steps, start=1):
        loaded.play(step, tenant, NOW + timedelta(days=days))
        assert loaded.about_step(step)

    assert loaded.about


def test_a_token_is_described_by_what_is_special_about_it(tmp_path: Path) -> None:
    loaded = scenario(
        tmp_path,
        """
        page_size = 7
        [[depOnboardingSettings]]
        tokenName = "Kiosk"
        tokenExpirationDateTime = "+20d"
        [[depOnboardingSettings]]
        tokenName = "Fixed date"
        tokenExpirationDateTime = 2026-12-01T00:00:00Z
        """,
    )

    tenant = loaded.tenant(NOW)

    assert tenant.page_size == 7
    assert tenant.ade[0]["tokenExpirationDateTime"] == "2026-01-25T08:00:00Z"
    assert tenant.ade[1]["tokenExpirationDateTime"] == "2026-12-01T00:00:00.0000000Z"
    assert tenant.push is None


def test_a_step_changes_renews_and_removes_at_its_own_time(tmp_path: Path) -> None:
    loaded = scenario(
        tmp_path,
        """
        [[depOnboardingSettings]]
        tokenName = "Kiosk"
        [[depOnboardingSettings]]
        tokenName = "Lab"
        [[depOnboardingSettings]]
        tokenName = "Old"
        [steps.next]
        about = "A day later"
        change = [{ token = "Kiosk", lastSyncErrorCode = 3 }]
        renew = [{ token = "Lab", until = "+10d" }]
        remove = ["Old"]
        """,
    )
    tenant = loaded.tenant(NOW)

    loaded.play("next", tenant, NOW + timedelta(days=1))

    kiosk, lab = tenant.ade
    assert kiosk["lastSyncErrorCode"] == 3
    assert kiosk["lastSuccessfulSyncDateTime"] == "2026-01-06T05:00:00.0000000Z"
    assert lab["tokenExpirationDateTime"] == "2026-01-16T08:00:00Z"


async def test_a_scenario_starts_and_ends_faults(tmp_path: Path) -> None:
    loaded = scenario(
        tmp_path,
        """
        [faults]
        vppTokens = "permission missing"
        [steps.granted]
        about = "Granted"
        faults = { vppTokens = "none" }
        """,
    )
    tenant = loaded.tenant(NOW)
    async with signed_in(tenant) as client:
        assert (await client.get(VPP_PATH)).status == 403

        loaded.play("granted", tenant, NOW)

        assert (await client.get(VPP_PATH)).status == 200


@pytest.mark.parametrize(
    "text,complaint",
    [
        ("[[depOnboardingSetting]]", "unknown field `depOnboardingSetting`"),
        ("[[vppTokens]]\nname = 'Books'", "vppToken has no property name"),
        ("[[vppTokens]]\nexpirationDateTime = 'soon'", "'soon' is no date"),
        ("[faults]\nvppTokens = 'asleep'", "there is no fault 'asleep', only: permission missing"),
        ("[faults]\nbooks = 'throttled'", "Invalid enum value 'books'"),
        ("page_size = 'many'", "page_size"),
    ],
)
def test_a_slip_of_the_pen_is_found_and_named_with_the_file(
    text: str, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ScenarioError) as error:
        scenario(tmp_path, text).tenant(NOW)

    assert str(error.value).startswith("mine.toml: ")
    assert complaint in str(error.value)


@pytest.mark.parametrize(
    "step", ["remove = ['Nobody']", "change = [{ token = 'Kiosk', colour = 1 }]", "renew = [{}]"]
)
def test_a_step_that_fits_no_token_names_file_and_step(step: str, tmp_path: Path) -> None:
    loaded = scenario(
        tmp_path,
        f"[[depOnboardingSettings]]\ntokenName = 'Kiosk'\n[steps.next]\nabout = 'x'\n{step}",
    )

    with pytest.raises(ScenarioError, match=r"mine\.toml, step next: "):
        loaded.play("next", loaded.tenant(NOW), NOW)


def test_a_step_or_a_scenario_that_does_not_exist_is_named() -> None:
    with pytest.raises(ScenarioError, match=r"no step dinner, only: permission-granted"):
        load_scenario("sample").about_step("dinner")
    with pytest.raises(ScenarioError, match=r"nowhere\.toml"):
        load_scenario("nowhere")


def test_a_large_tenant_has_the_tokens_and_problems_it_was_asked_for() -> None:
    tenant = large_tenant(NOW)

    tokens = [*tenant.ade, *tenant.vpp]
    problems = Counter(
        problem
        for source, kinds in LARGE_TENANT_PROBLEMS.items()
        for token in tenant.objects(source)
        for problem in kinds
        if str(token.get("tokenName", token.get("displayName"))).endswith(problem)
    )
    assert (len(tenant.ade), len(tenant.vpp), tenant.push is None) == (2_000, 3_000, False)
    assert len({token["id"] for token in tokens}) == 5_000
    assert set(problems.values()) == {375}
    assert problems.total() == 3_000


def test_the_problems_of_a_large_tenant_are_spread_over_its_pages() -> None:
    tenant = large_tenant(NOW, n_ade=40, n_vpp=20, n_problems=40, page_size=10)

    assert [str(t["tokenName"]).endswith("healthy") for t in tenant.objects(GraphSource.ADE)] == (
        [True, False] * 20
    )


def test_more_problems_than_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        large_tenant(NOW, n_ade=1, n_vpp=1, n_problems=4)
