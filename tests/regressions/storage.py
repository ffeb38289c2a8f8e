"""Mistakes in how storage is used that show when it fails, or when somebody else wrote to it."""

from tests.regressions import Regression

_FAULTS = r"test_storage_faults\.py::"
_EDITED = r"test_edited_rows\.py::"

REGRESSIONS = (
    Regression(
        name="a failed request of storage is not repeated",
        file="apple_tokens/storage.py",
        old='            "retry_total": self.retries,',
        new='            "retry_total": 0,',
        rows=f"{_FAULTS}test_each_request_is_tried_again",
        says="one failed request was not made up for",
    ),
    Regression(
        name="a source is settled before its rows are written",
        file="check_tokens/check.py",
        old="    await _write(tables, known, parts, alerts, rows, moment)\n",
        new=(
            "    await tables.write_run(rows.run, sources.values())\n"
            "    await _write(tables, known, parts, alerts, rows, moment)\n"
        ),
        rows=f"{_FAULTS}test_storage_that_goes_away_in_a_check",
        says="a later tick does not tell the same",
    ),
    Regression(
        name="rows that cannot be read count as none",
        file="apple_tokens/partition.py",
        old="await transactions.query(self._service, table, query)\n"
        "        except ResourceNotFoundError:",
        new="await transactions.query(self._service, table, query)\n        except Exception:",
        rows=rf"{_FAULTS}(test_storage_that_goes_away_in_a_notification|TestStorageThatIsDown)",
        says="though no row could be",
    ),
    Regression(
        name="storage is waited for as long as the SDK likes",
        file="apple_tokens/storage.py",
        old='            "read_timeout": self.answer_s,\n',
        new="",
        rows=f"{_FAULTS}test_storage_that_never_answers",
        says="storage that never answers is waited for without end",
    ),
    Regression(
        name="a column of nonsense is an error",
        file="apple_tokens/codec.py",
        old="    except msgspec.ValidationError:\n        return _decode_leniently(",
        new="    except msgspec.ValidationError:\n        raise\n        return _decode_leniently(",
        rows=f"{_EDITED}test_an_edited_row",
        says="ValidationError: ",
    ),
    Regression(
        name="MERGE that leaves old columns",
        file="apple_tokens/partition.py",
        old="encode_key(key), columns) for key, columns in rows)",
        new=(
            "encode_key(key), {n: v for n, v in columns.items() if v != ''}) "
            "for key, columns in rows)"
        ),
        rows=rf"{_EDITED}test_an_edited_row.*(alert|run\.\w+)-every column holds nonsense"
        "|TestWriting.*test_empties_what_is_empty_now",
        says="the check left its columns",
    ),
    Regression(
        name="a table that was deleted is not made again",
        file="apple_tokens/partition.py",
        old="!= TableErrorCode.TABLE_NOT_FOUND",
        new="!= TableErrorCode.TABLE_BEING_DELETED",
        rows=f"{_EDITED}TestATableThatIsDeleted",
        says="ErrorCode:TableNotFound",
    ),
    Regression(
        name="a check that replaces rows",
        file="apple_tokens/transactions.py",
        old='f"{operation.method} {rows}',
        new="f\"{operation.method.replace('PATCH', 'PUT')} {rows}",
        rows=f"{_EDITED}TestANewerVersion.*test_finds_what_it_wrote",
        says="columns of the newer version are lost",
    ),
    Regression(
        name="a stamp that gives up on a changed row",
        file="apple_tokens/tables.py",
        old="_STAMP_TRIES = 10",
        new="_STAMP_TRIES = 0",
        rows="test_tables.py::TestStamping.*(while_the_alert_keeps_changing|never_holds_still)",
        says="changed 0 times while it was stamped as told",
    ),
    Regression(
        name="an alert may have begun above its told step",
        file="apple_tokens/tables.py",
        old="    if row.base_step <= row.told_step:",
        new="    if row.base_step >= 0:",
        rows=r"test_check\.py::test_an_alert_whose_told_step_somebody_edited",
        says="told anew with every check",
    ),
    Regression(
        name="tickets are queued once",
        file="check_tokens/schedule.py",
        old="REQUEUE_AFTER = timedelta(hours=1)",
        new="REQUEUE_AFTER = timedelta(days=10)",
        rows=r"test_check\.py::test_tickets_that_were_lost",
        says=r"assert \[\] == \[RemediationM",
    ),
)
