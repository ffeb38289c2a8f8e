"""The function app: registers the timer's and the queue's function, nothing else."""

import azure.functions as func

from check_tokens.blueprint import blueprint as check_tokens
from notify.blueprint import blueprint as notify

app = func.FunctionApp()
app.register_functions(check_tokens)
app.register_functions(notify)
