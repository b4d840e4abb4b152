"""Words and bars for `/stats`: one table an environment, with what each figure was made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.desk.answers.dora import LEAST, WINDOW, Figures, Measure
from bot.durations import shown
from bot.jobs.deploy.difference import Says

BARS = "▁▂▃▄▅▆▇█"


def stats_text(found: Sequence[Figures], say: Says) -> str:
    """All environments, and what the figures mean."""
    title = say("stats.title", days=WINDOW.days)
    return "\n\n".join([title, *(_table(one, say) for one in found), say("stats.meaning", days=WINDOW.days)])


def _table(one: Figures, say: Says) -> str:
    head = f"| {say('stats.figure')} | {say('stats.value')} | {say('stats.count')} |\n|---|---:|---|"
    weekly = f"{bars(one.weekly)} ({', '.join(map(str, one.weekly))})"
    frequency = one.frequency.value
    percent = one.failure_percent.value
    rows = [
        ("frequency", None if frequency is None else say("stats.a_week", count=f"{frequency:.3g}"), weekly),
        ("lead", _time(one.lead_s), say("stats.commits", count=one.lead_s.count)),
        ("failure", None if percent is None else f"{percent:.0f} %", say("stats.of", count=one.failure_percent.count)),
        ("restore", _time(one.restore_s), say("stats.losses", count=one.restore_s.count)),
    ]
    too_few = say("stats.too_few", least=LEAST)
    lines = [
        f"| {say(f'stats.{name}')} | {value or _missing(name, one, say, too_few)} | {of} |" for name, value, of in rows
    ]
    return "\n".join([f"**`{one.environment}`**", "", head, *lines])


def _missing(name: str, one: Figures, say: Says, too_few: str) -> str:
    """Nothing to restore is good news, not too little to say."""
    nothing_lost = name == "restore" and one.failure_percent.count > 0
    return say("stats.nothing_lost") if nothing_lost else too_few


def _time(measure: Measure) -> str | None:
    return None if measure.value is None else shown(timedelta(seconds=measure.value))


def bars(counts: Sequence[int]) -> str:
    """One sign a number, as high as it is beside the greatest."""
    greatest = max(counts, default=0)
    return "".join(
        BARS[(count * (len(BARS) - 1) + greatest // 2) // greatest] if greatest else BARS[0] for count in counts
    )
