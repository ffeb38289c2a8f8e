"""A function app with the triggers of ours that does nothing: what every app pays."""

import typing

import azure.functions as func

blueprint = func.Blueprint()


@blueprint.function_name("check_tokens")
@blueprint.timer_trigger(
    arg_name="timer", schedule="%CHECK_SCHEDULE%", run_on_startup=False, use_monitor=True
)
@blueprint.queue_output(
    arg_name="tickets", queue_name="remediation", connection="AzureWebJobsStorage"
)
async def check_tokens(
    timer: func.TimerRequest,
    tickets: func.Out[typing.List[str]],  # noqa: UP006 -- as in ours
) -> None:
    """Do nothing."""


@blueprint.function_name("notify")
@blueprint.queue_trigger(
    arg_name="ticket", queue_name="remediation", connection="AzureWebJobsStorage"
)
async def notify(ticket: func.QueueMessage) -> None:
    """Do nothing."""


app = func.FunctionApp()
app.register_functions(blueprint)
