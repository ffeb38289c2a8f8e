"""Import a function app and index it, as the worker does before the first call."""

import asyncio  # noqa: F401 -- the worker has it before any app
import importlib
import json
import sys

sys.path[:0] = sys.argv[1:3]

functions = importlib.import_module("function_app").app.get_functions()
print(
    json.dumps(
        {
            "functions": len(functions),
            "modules": len(sys.modules),
            "generated": sum(name.startswith("msgraph.generated") for name in sys.modules),
        }
    )
)
