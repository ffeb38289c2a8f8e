"""Look for secrets in every file of the project, and name the file that has one.

secretlint's rules do it, offline. They are kept, and they know what each provider's secrets look
like, where a scanner that goes by randomness took fifteen hashes and ids of this project for
secrets. What they lack, and the one exception, stand in `secretlint.mjs`.
"""

import subprocess
import sys

from sandbox import node
from sandbox.node import ROOT
from sandbox.npm import npm_file
from sandbox.repository import project_files


def main() -> int:
    """Return 0 when nothing was found, else 1 with the places, which do not repeat the secret."""
    packages = npm_file("@secretlint/core/package.json").parents[2]
    words = (node.require().path, ROOT / "sandbox" / "secretlint.mjs", packages)
    names = "\n".join(project_files())
    return subprocess.run(words, input=names, cwd=ROOT, encoding="utf-8", check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
