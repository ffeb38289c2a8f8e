"""Import a function app, index it, and call the timer's function once."""

import asyncio
import importlib
import json
import os
import sys

sys.path[:0] = sys.argv[1:3]

from datetime import datetime

app = importlib.import_module("function_app").app
functions = {each.get_function_name(): each for each in app.get_functions()}
if sys.argv[3:]:
    blueprint = importlib.import_module("check_tokens.blueprint")
    queued = asyncio.run(blueprint.check(datetime.fromisoformat(sys.argv[3]), os.environ))
else:
    asyncio.run(functions["check_tokens"].get_user_function()(timer=None, tickets=None))
    queued = []
print(json.dumps({"queued": len(queued), "modules": len(sys.modules)}))
