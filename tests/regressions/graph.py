"""Mistakes in the reading of Microsoft Graph."""

from tests.regressions import Regression

REGRESSIONS = (
    Regression(
        name="silence while a source is unread",
        file="check_tokens/sources.py",
        old="        return error.failure\n    except Exception",
        new="        return NotConfigured()\n    except Exception",
        rows="test_a_source_that_fails_is_not_checked",
        says="AssertionError: NotConfigured()",
    ),
)
