"""Tells a build as `docker build --progress=plain` does: numbered steps, their output, how each ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.engines.docker.trace import Output, Trace, Transfer, Vertex
from bot.engines.lines import LineCutter
from bot.ports.images import LogSink

TRANSFER_EVERY_S = 5.0


@dataclass
class _Step:
    """What was already told of one step."""

    number: int
    name: str
    started: float | None = None
    ended: bool = False
    output: LineCutter = field(default_factory=LineCutter)
    told_transfers: dict[str, float] = field(default_factory=dict)


class BuildKitProgress:
    """Turns reports into log lines. `failed_step` is the name of the step that failed, once one has."""

    def __init__(self, log: LogSink) -> None:
        self._log = log
        self._steps: dict[str, _Step] = {}
        self.failed_step: str | None = None

    def tell(self, trace: Trace) -> None:
        """Log what is new in a report; a step with more to tell in it ends after that."""
        has_more = {one.vertex for one in trace.transfers} | {one.vertex for one in trace.outputs}
        for vertex in trace.vertexes:
            self._tell_start(vertex)
            if vertex.digest not in has_more:
                self._tell_end(vertex)
        for transfer in trace.transfers:
            self._tell_transfer(transfer)
        for output in trace.outputs:
            self._tell_output(output)
        for vertex in trace.vertexes:
            self._tell_end(vertex)

    def _tell_start(self, vertex: Vertex) -> None:
        if vertex.started is None and not vertex.cached:
            return
        step = self._steps.get(vertex.digest)
        if step is None:
            step = self._steps[vertex.digest] = _Step(len(self._steps) + 1, vertex.name)
            self._log(f"#{step.number} {vertex.name}")
        step.started = step.started or vertex.started

    def _tell_transfer(self, transfer: Transfer) -> None:
        step = self._steps.get(transfer.vertex)
        if step is None:
            return
        told_at, at = step.told_transfers.get(transfer.id), transfer.at or 0.0
        if told_at == float("inf") or (told_at is not None and not transfer.completed and at < told_at):
            return
        step.told_transfers[transfer.id] = float("inf") if transfer.completed else at + TRANSFER_EVERY_S
        if transfer.completed or told_at is not None:
            self._log(f"#{step.number} {transfer.id} {_amount(transfer)}".rstrip())

    def _tell_output(self, output: Output) -> None:
        step = self._steps.get(output.vertex)
        if step is None:
            return
        after_s = output.at - step.started if output.at is not None and step.started is not None else 0.0
        for line in step.output.feed(output.data):
            self._log(f"#{step.number} {after_s:.3f} {line}")

    def _tell_end(self, vertex: Vertex) -> None:
        step = self._steps.get(vertex.digest)
        if step is None or step.ended or not (vertex.completed or vertex.cached or vertex.error):
            return
        step.ended = True
        for line in step.output.rest():
            self._log(f"#{step.number} {line}")
        if vertex.error:
            self.failed_step = self.failed_step or vertex.name
        self._log(f"#{step.number} {_ending(vertex, step)}")


def _ending(vertex: Vertex, step: _Step) -> str:
    if vertex.error:
        return "CANCELED" if vertex.error.endswith("context canceled") else f"ERROR: {vertex.error}"
    if vertex.cached:
        return "CACHED"
    return f"DONE {(vertex.completed or 0.0) - (step.started or vertex.completed or 0.0):.1f}s"


def _amount(transfer: Transfer) -> str:
    size = _size(transfer.current)
    if transfer.total:
        size = f"{size} / {_size(transfer.total)}"
    if transfer.completed:
        return f"{size} done" if transfer.current else "done"
    return size


def _size(count: int) -> str:
    """Bytes as Docker writes them, in steps of a thousand."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.4g}{unit}"
        amount /= 1000
    return f"{amount:.4g}GB"
