"""`python -m admin`: run the command line, or say what has to be installed for it."""

import sys

try:
    from admin.cli import main
except ImportError as error:
    print(
        f"{error}: `python -m admin` takes Python 3.11 or newer and the packages of the project, "
        "run `pip install -r requirements.txt`",
        file=sys.stderr,
    )
    sys.exit(2)  # not 1, which says that a check found problems

sys.exit(main())
