"""Mistakes in the order in which things are written, sent and marked as done."""

from tests.regressions import Regression

_CHECK = "test_a_check_that_is_killed_is_made_up_for"
_DELIVERY = "test_a_delivery_that_is_killed_is_made_up_for"
_REWRITTEN = "test_an_alert_that_is_rewritten_before_its_stamp_keeps_both"
_DELETED = "test_an_alert_that_is_deleted_before_its_stamp_takes_no_other_with_it"

REGRESSIONS = (
    Regression(
        name="a check that is late is none",
        file="check_tokens/schedule.py",
        old="in TokenKind if not _is_settled(",
        new="in TokenKind if now == starts_at(now.date(), policy) and not _is_settled(",
        rows=rf"{_CHECK}\[.*(reading the run rows|before writing the run rows|120 tokens"
        r"|first check, (before|after) (writing|creating) token)",
        says="a check that comes late does not tell everything",
    ),
    Regression(
        name="a source is settled before it is read",
        file="check_tokens/check.py",
        old="    results = await read(todo.sources) if todo.sources else {}\n",
        new=(
            "    begun = [SourceRow(kind=kind, settled_at=now) for kind in todo.sources]\n"
            "    await tables.write_run(rows.run, begun)\n"
            "    results = await read(todo.sources) if todo.sources else {}\n"
        ),
        rows=rf"{_CHECK}\[.*(signing in|reading Graph|reading tokenalerts|reading tokenstatus)",
        says="cards were lost: a problem is untold",
    ),
    Regression(
        # The host sends what the check returns. What the rows can get wrong is to count messages
        # as made while there is no alert yet from which they could be made again.
        name="sending the message before the alert is written",
        file="check_tokens/check.py",
        old="    await _write(tables, known, parts, alerts, rows, moment)\n",
        new=(
            "    await tables.write_run(run, sources.values())\n"
            "    await _write(tables, known, parts, alerts, rows, moment)\n"
        ),
        rows=rf"{_CHECK}\[check a week later, .*(writing token|deleting|reading tokenhistory)",
        says="cards were lost: a problem is untold",
    ),
    Regression(
        name="the history of a check that is run again is written again",
        file="apple_tokens/rows.py",
        old="_inverted(self.previous_check_at)",
        new="_inverted(self.checked_at)",
        rows=rf"{_CHECK}\[check a week later, (before|after) writing tokenalerts",
        says="tokenhistory has rows too many",
    ),
    Regression(
        name="what the host did not send is not queued again",
        file="check_tokens/schedule.py",
        old="    if queued_at is None or now - queued_at < REQUEUE_AFTER:\n",
        new="    if queued_at is None or now - queued_at < 25 * REQUEUE_AFTER:\n",
        rows=rf"{_CHECK}\[.*(sending message|after writing the run rows)",
        says="cards were lost: a problem is untold",
    ),
    Regression(
        name="stamping before the POST",
        file="notify/delivery.py",
        old=(
            "    await _post(card, settings)\n"
            "    return await tables.stamp(alerts, told_at=now, check_date=message.check_date)\n"
        ),
        new=(
            "    count = await tables.stamp(alerts, told_at=now, check_date=message.check_date)\n"
            "    await _post(card, settings)\n"
            "    return count\n"
        ),
        rows=rf"{_DELIVERY}\[(worse|fixed|120 tokens), .*(posting|stamping)",
        says="the card was lost: nothing came to the channel",
    ),
    Regression(
        name="a message that comes back is passed over",
        file="notify/delivery.py",
        old="    message: RemediationMessage | None = None\n",
        new=(
            "    if dequeue_count > 1:\n        return\n"
            "    message: RemediationMessage | None = None\n"
        ),
        rows=rf"{_DELIVERY}\[.*(reading|test card|(welcome|digest), .*posting"
        r"|welcome, .*stamping tokenalerts|before stamping the run rows)",
        says="the card was lost: nothing came to the channel",
    ),
    Regression(
        name="an overview is stamped with what stood there",
        file="apple_tokens/tables.py",
        old="            columns = encode(stamped, RunRow.NOTIFY_COLUMNS)\n",
        new="            columns = encode(found[0], RunRow.NOTIFY_COLUMNS)\n",
        rows=rf"{_DELIVERY}\[(welcome|digest), after stamping the run rows",
        says="told twice, though the stamp was written",
    ),
    Regression(
        name="stamping only what the card lists",
        file="notify/delivery.py",
        old="    return await tables.stamp(alerts, told_at",
        new="    return await tables.stamp(alerts[:20], told_at",
        rows=rf"{_DELIVERY}\[120 tokens, after stamping tokenalerts\]",
        says="a transaction stamps 100 alerts, not only those on the card",
    ),
    Regression(
        name="a stamp that lowers ToldStep",
        file="apple_tokens/tables.py",
        old=("            if present.told_step >= told.told_step:\n                return True\n"),
        new="",
        rows=rf"{_REWRITTEN}\[a newer card was told",
        says="ToldStep is not that of the last card",
    ),
    Regression(
        name="a row that changed keeps its batch unstamped",
        file="apple_tokens/tables.py",
        old="                count += await self._stamp_changed(row, alert.stored.row_key)\n",
        new="                count += alert.row.told_step >= row.told_step\n",
        rows=rf"{_REWRITTEN}\[(a newer check|an operator|somebody)|{_DELETED}",
        says="told twice: ",
    ),
)
