"""Mistakes in what is done with a card that Teams does not take, and with a strange ticket."""

from tests.regressions import Regression

_FAULTS = r"test_teams_faults\.py::"

REGRESSIONS = (
    Regression(
        name="logging the URL",
        file="notify/teams.py",
        old="        with _quiet_libraries():\n",
        new=(
            "        logging.getLogger(__name__).info('posting to %s', url.reveal())\n"
            "        with _quiet_libraries():\n"
        ),
        rows=(
            rf"{_FAULTS}(test_what_is|test_a_short_pause|test_a_card_whose|TestThePoisonQueue.*five)"
            r"|test_teams\.py::test_(a_refused|an_answer|a_certificate)"
        ),
        says="of the webhook URL stands in",
    ),
    Regression(
        name="what Teams refused counts as told",
        file="notify/delivery.py",
        old="    await _post(card, settings)\n    return await tables.stamp",
        new=(
            "    try:\n        await _post(card, settings)\n"
            "    except DeliveryError:\n        pass\n    return await tables.stamp"
        ),
        rows=rf"{_FAULTS}test_(what_is_not_accepted|a_card_whose|after_a_week)",
        says="DID NOT RAISE",
    ),
    Regression(
        name="a ticket tells its batch however often it comes",
        file="apple_tokens/tables.py",
        old=" for row, stored in found if row.is_untold]",
        new=" for row, stored in found]",
        rows=(
            rf"{_FAULTS}(test_what_is_accepted|TestTickets.*(all.was.told|twice_at_once)"
            ")"
        ),
        says="told twice",
    ),
    Regression(
        name="a ticket that finds no alert is posted all the same",
        file="notify/delivery.py",
        old="    if not alerts:\n        return None\n    rows",
        new=(
            "    if not alerts:\n"
            "        await _post_overview(message, await tables.run_rows(), settings, tables)\n"
            "        return None\n"
            "    rows"
        ),
        rows=rf"{_FAULTS}TestTickets.*(another_tenant|rows_that_are_gone)",
        says="posted a card about nothing",
    ),
    Regression(
        name="a late ticket is taken for an outdated one",
        file="notify/delivery.py",
        old="    alerts = await tables.untold(message.batch)\n    if not alerts:\n",
        new=(
            "    alerts = await tables.untold(message.batch)\n"
            "    if not alerts or (now - message.checked_at).days:\n"
        ),
        rows=rf"{_FAULTS}TestTickets.*nothing.was.told",
        says="assert 0 == 4",
    ),
    Regression(
        name="a message that cannot be read is passed over",
        file="notify/delivery.py",
        old="        events.emit(_failure(message, error, dequeue_count))\n        raise\n",
        new=(
            "        events.emit(_failure(message, error, dequeue_count))\n"
            "        if message is None:\n            return\n        raise\n"
        ),
        rows=rf"{_FAULTS}TestThePoisonQueue.*nobody_can_read"
        r"|test_edited_rows\.py::.*has_its_messages_refused",
        says="it is not alone in the poison queue|DID NOT RAISE MalformedMessageError",
    ),
    Regression(
        name="a message of the version before is refused",
        file="apple_tokens/messages.py",
        old="    if version != VERSION:",
        new="    if version <= VERSION:",
        rows=f"{_FAULTS}TestTickets.*first_version",
        says="this app reads version 1",
    ),
    Regression(
        name="Teams is asked again without a pause",
        file="notify/teams.py",
        old="_LEAST_WAIT_S: Final = 1.0",
        new="_LEAST_WAIT_S: Final = 0.0",
        rows=r"test_teams\.py::test_no_more_than_one_request_a_second",
        says=r"assert \[0\.0, 0\.0, 0\.0\] == \[1, 1, 1\]",
    ),
    Regression(
        name="no answer counts as accepted",
        file="notify/teams.py",
        old='            raise DeliveryError(f"the Teams workflow {answer.why}")',
        new="            return",
        rows=rf"{_FAULTS}test_a_card_that_is_never_answered",
        says="DID NOT RAISE",
    ),
)
