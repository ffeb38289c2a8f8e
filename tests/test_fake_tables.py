"""The tables in memory behave as those on the storage emulator: one script, played on both."""

import logging

import pytest
from azure.data.tables.aio import TableServiceClient
from msgspec.structs import replace

from apple_tokens.model import Problem, Reason, TokenKind
from apple_tokens.operator_tables import GoneError, Operator, OperatorTables
from apple_tokens.rows import HistoryRow, RunRow, SourceRow
from apple_tokens.tables import TokenTables
from tests.builders import DAY, NOW, ade, alert, push, row, told, vpp
from tests.fake_tables import CutOffError, FakeTables

TENANT = "5f0c8b1e-7a3d-4c1e-9b62-0d6a4f2e8c17"
BATCH = "20260302T080000.000000Z it's new"
OPERATOR = Operator(name="operator@contoso.example", at=NOW, reason="moving house")
TERMS = Problem.ADE_TERMS_NOT_ACCEPTED


async def play(tables: TokenTables, operator: OperatorTables) -> list[object]:
    """Do all that check, notify and operators do with tables. Return what they read on the way."""
    seen: list[object] = [await tables.run_rows(), await tables.alert_rows()]
    with pytest.raises(GoneError):
        await operator.accept_topic("new", OPERATOR)

    tokens = [row(ade()), row(ade(id="a/2 #?")), row(vpp()), row(push(), accepted_topic="mine")]
    await tables.write_tokens(tokens)
    await operator.accept_topic("new", OPERATOR)
    await tables.write_tokens([replace(tokens[3], known_topic="old")])
    seen += [await tables.token_rows(), await tables.token_rows([TokenKind.PUSH])]

    untold = [
        alert(TERMS, token_id=token_id, batch=BATCH, step=1, reason=Reason.NEW)
        for token_id in ("a-1", "a-2", "a-3")
    ]
    await tables.write_alerts(untold)
    posted = await tables.untold(BATCH)
    await operator.snooze(untold[0], NOW + DAY, OPERATOR)
    await tables.delete_alerts([untold[2]])
    await tables.delete_alerts([untold[2]])
    seen.append(await tables.stamp(posted, told_at=NOW, check_date=NOW.date()))
    seen.append(await tables.stamp(posted, told_at=NOW + DAY, check_date=NOW.date() + DAY))
    await tables.write_alerts([replace(untold[1], step=2), told(untold[0])])
    seen += [await tables.alert_rows(), [one.row for one in await tables.untold(BATCH)]]
    seen.append([one.row for one in await tables.untold("another")])

    sources = [SourceRow(kind=kind, settled_at=NOW, result="tokens_read") for kind in TokenKind]
    await tables.write_run(RunRow(checked_at=NOW, digest_step=1, digest_told_step=9), sources)
    await operator.request_check(OPERATOR)
    await tables.write_run(RunRow(checked_at=NOW + DAY), sources[:1])
    seen.append(await tables.stamp_run(lambda run: replace(run, digest_told_step=1)))
    seen.append(await tables.stamp_run(lambda _: None))
    seen.append(await tables.run_rows())

    changes = [
        HistoryRow(
            kind=TokenKind.ADE,
            token_id=token_id,
            name="iPads",
            checked_at=NOW + number * DAY,
            changed="Name",
            before={"Name": "iPhones"},
            previous_check_at=NOW + (number - 1) * DAY,
        )
        for number in range(3)
        for token_id in ("a-1", "a-1.b")
    ]
    await tables.write_history(changes)
    await tables.delete_history(NOW + DAY)
    seen += [await tables.history(TokenKind.ADE, "a-1"), await tables.history(TokenKind.VPP, "a-1")]

    await tables.delete_tokens(tokens[:2])
    await tables.delete_tokens([])
    seen.append(await tables.token_rows())
    return seen


@pytest.mark.e2e
async def test_the_fake_says_what_the_emulator_says(
    storage: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    fake = FakeTables(TENANT)

    async with TableServiceClient.from_connection_string(storage) as service:
        real = await play(TokenTables(service, TENANT), OperatorTables(service, TENANT))
    imagined = await play(fake, fake.operator())

    assert imagined == real
    assert caplog.records == []


async def test_a_writer_is_cut_off_before_the_write_that_is_one_too_many() -> None:
    tables = FakeTables(TENANT)
    tables.partition.cut_off_after = 1

    await tables.write_tokens([])
    await tables.write_tokens([row(ade())])
    with pytest.raises(CutOffError):
        await tables.write_tokens([row(vpp())])

    assert [known.token.id for known in await tables.token_rows()] == ["a-1"]


async def test_a_filter_that_the_fake_does_not_understand_is_refused() -> None:
    with pytest.raises(AssertionError, match="does not understand"):
        await FakeTables(TENANT).partition.entities("tokenstatus", "Step gt 3")
