"""Runs a subject as a whole process and measures it from outside."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUBJECTS = Path(__file__).with_name("subjects")
_LAUNCH = Path(__file__).with_name("launch.py")
_KIB_IN_MB = 1_024 / 1_000_000


class SampleError(Exception):
    """A subject failed; the text holds what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run of one subject, interpreter start and imports included."""

    wall_s: float
    processor_s: float
    peak_mb: float
    counts: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A program to be measured: a module of `subjects`, an app's folder and its libraries."""

    script: str
    app: Path
    libraries: Path
    options: tuple[str, ...] = ()
    """Of the interpreter."""
    arguments: tuple[str, ...] = ()

    async def run(self, environment: Mapping[str, str]) -> Sample:
        """Run it once. The event loop goes on: it serves what the subject asks for."""
        words = [
            *(sys.executable, "-I", "-S", *self.options, str(SUBJECTS / self.script)),
            *(str(self.app), str(self.libraries), *self.arguments),
        ]
        return await asyncio.to_thread(_run, words, dict(environment))


async def pairs(
    count: int, subjects: Sequence[Callable[[], Awaitable[Sample]]], *, warms_up: bool
) -> list[list[Sample]]:
    """Run the subjects in turn, A B A B …, so that what else the machine does falls on all alike.

    With `warms_up`, after a round that is not counted: it fills the caches of files, and writes
    bytecode where there is none.
    """
    found = list[list[Sample]]([] for _ in subjects)
    for number in range(-int(warms_up), count):
        for samples, subject in zip(found, subjects, strict=True):
            sample = await subject()
            if number >= 0:
                samples.append(sample)
    return found


def _run(words: list[str], environment: dict[str, str]) -> Sample:
    launched = subprocess.run(
        [sys.executable, "-I", "-S", _LAUNCH, *words],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    found = json.loads(launched.stdout)
    if found["status"] != 0:
        raise SampleError(f"{words[4:]} ended with status {found['status']}: {found['errors']}")
    return Sample(
        wall_s=found["wall_s"],
        processor_s=found["processor_s"],
        peak_mb=found["peak_kib"] * _KIB_IN_MB,
        counts=json.loads(found["output"].splitlines()[-1]),
    )
