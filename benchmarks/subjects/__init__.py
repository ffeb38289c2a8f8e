"""What is measured: each module is run as a whole process, with the app's folder and its libraries.

    python -I -S SUBJECT.py APP LIBRARIES [ARGUMENTS]

They print one line of JSON with what they count. None imports another or the harness, since each
module would be on the bill.
"""
