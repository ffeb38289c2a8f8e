"""Mistakes at the border to the Functions host: it learns of a failure by an exception alone."""

from tests.regressions import Regression

REGRESSIONS = (
    Regression(
        name="a failed delivery is logged and swallowed",
        file="notify/blueprint.py",
        old=(
            "    await tell(datetime.now(UTC), os.environ, ticket.get_body(), "
            "ticket.dequeue_count or 1)\n"
        ),
        new=(
            "    try:\n"
            "        await tell(datetime.now(UTC), os.environ, ticket.get_body(), "
            "ticket.dequeue_count or 1)\n"
            "    except Exception as error:\n"
            "        print(type(error).__name__)\n"
        ),
        rows=r"test_contract\.py::test_a_(card_that_teams_refuses|message_that_is_none)",
        says="the host takes the message for told",
    ),
    Regression(
        name="a check that cannot begin is passed over",
        file="check_tokens/blueprint.py",
        old="    bodies = await check(datetime.now(UTC), os.environ)\n",
        new=(
            "    try:\n        bodies = await check(datetime.now(UTC), os.environ)\n"
            "    except ValueError:\n        bodies = []\n"
        ),
        rows=r"test_contract\.py::test_a_check_that_fails",
        says="a check that did not run counts as one that did",
    ),
)
