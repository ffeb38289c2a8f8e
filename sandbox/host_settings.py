"""Read from host.json how the Functions host treats a queue."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """The settings of the queue extension; what host.json leaves out has the host's own default.

    https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue#hostjson-settings
    """

    batch_size: int = 16
    max_dequeue_count: int = 5
    visibility_timeout: timedelta = timedelta()


def read_queue_settings(host_json: Path) -> QueueSettings:
    """Read the settings that decide about redelivery."""
    extensions = json.loads(host_json.read_text(encoding="utf-8")).get("extensions", {})
    queues = extensions.get("queues", {})
    default = QueueSettings()
    return QueueSettings(
        batch_size=queues.get("batchSize", default.batch_size),
        max_dequeue_count=queues.get("maxDequeueCount", default.max_dequeue_count),
        visibility_timeout=_duration(queues.get("visibilityTimeout", "00:00:00")),
    )


def _duration(text: str) -> timedelta:
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
