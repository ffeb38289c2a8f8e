"""Queue to Teams: read the ticket, render what the rows say as an Adaptive Card, post it, stamp it.

Imports `apple_tokens`, never `check_tokens`: the two functions share values and tables only.
"""
