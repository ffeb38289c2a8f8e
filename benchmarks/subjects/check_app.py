"""Run one whole check, as the timer's function does."""

import asyncio
import json
import os
import sys

sys.path[:0] = sys.argv[1:3]

from datetime import datetime

from check_tokens.blueprint import check

queued = asyncio.run(check(datetime.fromisoformat(sys.argv[3]), os.environ))
print(json.dumps({"queued": len(queued), "modules": len(sys.modules)}))
