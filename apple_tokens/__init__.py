"""What both functions share: values, the queue contract, the tables, the log events.

No Functions, no Graph and no clock in here: `check_tokens` and `notify` import this package, and
it imports neither of them.
"""
