"""Mistakes in the reading of Microsoft Graph."""

from tests.regressions import Regression

REGRESSIONS = (
    Regression(
        name="silence while a source is unread",
        file="check_tokens/sources.py",
        old="        return error.failure\n    except Exception",
        new="        return NotConfigured()\n    except Exception",
        rows="test_a_check_that_cannot_read",
        says="is taken for not_configured",
    ),
    Regression(
        name="403 is taken for not configured",
        file="check_tokens/verdicts.py",
        old="status == HTTPStatus.NOT_FOUND and text.code == _NOT_CONFIGURED\n",
        new="status == HTTPStatus.FORBIDDEN\n",
        rows=r"test_a_check_that_cannot_read.*\[(push_certificate|all) 403",
        says="push_certificate is taken for not_configured",
    ),
    Regression(
        name="what could not be read counts as read",
        file="check_tokens/assessment.py",
        old="        health = Health.UNKNOWN\n    return _Part(tokens=(describe(row,",
        new="        health = Health.UNKNOWN\n"
        "    row = _replace(row, checked_at=moment.now)\n"
        "    return _Part(tokens=(describe(row,",
        rows=r"test_a_check_that_cannot_read.* 40[13] ",
        says="what was observed has changed",
    ),
    Regression(
        name="a failing source takes the others with it",
        file="check_tokens/sources.py",
        old="        return error.failure\n    except Exception",
        new="        raise\n    except Exception",
        rows=r"test_a_check_that_cannot_read.*\[vpp_token 403"
        r"|test_contract\.py::test_a_source_that_cannot_be_read",
        says="GraphError",
    ),
    Regression(
        name="a body is never too long",
        file="check_tokens/bodies.py",
        old="                if body.tell() > MAX_BODY_BYTES:\n",
        new="                if body.tell() > 100 * MAX_BODY_BYTES:\n",
        rows=r"test_a_check_that_cannot_read.*\[(ade|vpp)_token (body of|gzip bomb)",
        says="is taken for tokens_read",
    ),
    Regression(
        name="bodies may be four times as long",
        file="check_tokens/bodies.py",
        old="MAX_BODY_BYTES = 8 * 1024 * 1024\n",
        new="MAX_BODY_BYTES = 32 * 1024 * 1024\n",
        rows="test_three_bodies",
        says="AssertionError: the check took",
    ),
    Regression(
        name="reading ends at an empty page",
        file="check_tokens/sources.py",
        old="        address = page.next_link\n",
        new='        address = page.next_link if page.tokens else ""\n',
        rows="test_ten_thousand_pages",
        says="pages were left out unsaid",
    ),
    Regression(
        name="an expiry date is not read",
        file="check_tokens/wire.py",
        old='_date(self.token_expiration_date_time, "tokenExpirationDateTime")',
        new="None",
        rows=r"test_an_odd_token.*\[(an? |year 9999)",
        says="the token is taken for expiry_unknown",
    ),
    Regression(
        name="a date that was never set is a date",
        file="check_tokens/wire.py",
        old="    if date < _OLDEST:\n        return None\n",
        new="",
        rows="test_an_odd_token.*year 1]",
        says="the token is taken for ade_token_expired",
    ),
    Regression(
        name="no date is no problem",
        file="check_tokens/diagnosis.py",
        old="        yield _finding(Problem.EXPIRY_UNKNOWN, _WARNING)\n        return\n",
        new="        return\n",
        rows=r"test_an_odd_token.*\[(no date|nulls)",
        says="the token is taken for healthy",
    ),
    Regression(
        name="a date beyond the calendar is moved to another zone",
        file="check_tokens/wire.py",
        old="    return min(date, _LATEST).astimezone(UTC)\n",
        new="    return (date + (date - date.min)).astimezone(UTC)\n",
        rows="test_an_odd_token.*year 9999",
        says="the token was not read",
    ),
    Regression(
        name="texts are kept whole",
        file="check_tokens/wire.py",
        old="    if len(value) <= MAX_TEXT_CHARACTERS:\n",
        new="    if value:\n",
        rows="test_an_odd_token.*10,000 letters",
        says="a text is kept at its whole length",
    ),
    Regression(
        name="text of others is shown as it is",
        file="notify/text.py",
        old='    """Return text of others on one line, cut at `MOST_CHARACTERS`;'
        ' `\'\'` where nothing is left."""\n',
        new="    return text\n",
        rows=r"test_an_odd_token.*(right to left|mention)",
        says="a name does something on the card",
    ),
)
