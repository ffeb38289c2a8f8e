"""Start one process and measure it: `python -I -S launch.py WORDS…`; the standard library only.

In between because the kernel counts the memory of whoever starts a process as the process's own,
until it runs a program: started by the harness, nothing would take less memory than the harness.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

_SHOWN_CHARACTERS = 2_000


def main() -> None:
    """Run the words, and print what came of it as JSON."""
    # A file, since a check logs thousands of events, and nobody would empty a pipe meanwhile.
    with tempfile.TemporaryFile() as errors:
        started_s = time.perf_counter()
        with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=errors) as process:
            output = process.stdout.read() if process.stdout else b""
            # Of this child alone; resource.getrusage has all of them in one.
            _, status, usage = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - started_s
            process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().decode(errors="replace")[-_SHOWN_CHARACTERS:]
    found = {
        "wall_s": wall_s,
        "processor_s": usage.ru_utime + usage.ru_stime,
        "peak_kib": usage.ru_maxrss,
        "status": process.returncode,
        "output": output.decode(),
        "errors": said,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
