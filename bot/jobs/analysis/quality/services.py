"""Asks services the operator named: measures of a SonarQube server, and a summary by a language model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from bot.errors import Permanent
from bot.jobs.analysis.quality.snapshot import ModelSettings, SonarSettings, Summary

METRICS = "bugs,vulnerabilities,code_smells,coverage,duplicated_lines_density,sqale_index,ncloc"
_INSTRUCTIONS = (
    "You are given facts about a software repository as JSON. Write at most five plain sentences for its maintainers: "
    "what it is made of, where it is complex, what to look at first. Use only these facts; do not praise."
)


async def read_sonar(settings: SonarSettings, limit_s: float) -> dict[str, str]:
    """The project's measures by metric. Raises Permanent("sonar_failed").

    Source: SonarQube Web API, GET api/measures/component.
    """
    asked = {"component": settings.project, "metricKeys": METRICS}
    headers = {"Authorization": f"Bearer {settings.token}"} if settings.token else {}
    address = settings.url.rstrip("/") + "/api/measures/component"
    told = await _ask("GET", address, "sonar_failed", limit_s, params=asked, headers=headers)
    try:
        return {measure["metric"]: measure["value"] for measure in told["component"]["measures"]}
    except (KeyError, TypeError) as error:
        raise Permanent("sonar_failed", detail="its answer was not understood") from error


async def summarise(settings: ModelSettings, facts: str, mask: Callable[[str], str], limit_s: float) -> Summary:
    """A few generated sentences about the facts, which are masked and cut to the agreed size before they are sent.

    Raises Permanent("model_failed"). Source: the OpenAI API, POST chat/completions, which many servers speak.
    """
    sent = mask(facts)[: settings.max_characters_sent]
    body = {
        "model": settings.model,
        "max_tokens": settings.max_tokens_answered,
        "messages": [{"role": "system", "content": _INSTRUCTIONS}, {"role": "user", "content": sent}],
    }
    headers = {"Authorization": f"Bearer {settings.key}"} if settings.key else {}
    address = settings.url.rstrip("/") + "/chat/completions"
    told = await _ask("POST", address, "model_failed", limit_s, json=body, headers=headers)
    try:
        text = str(told["choices"][0]["message"]["content"]).strip()
    except (KeyError, IndexError, TypeError) as error:
        raise Permanent("model_failed", detail="its answer was not understood") from error
    return Summary(mask(text), settings.model, sent)


async def _ask(method: str, address: str, code: str, limit_s: float, **asked: Any) -> Mapping[str, Any]:
    """A JSON answer, without following redirects: the token is for this address alone."""
    timeout = aiohttp.ClientTimeout(total=limit_s)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, address, allow_redirects=False, **asked) as response,
        ):
            if response.status != 200:
                raise Permanent(code, detail=f"it answered {response.status}")
            told: Mapping[str, Any] = await response.json(content_type=None)
            return told
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise Permanent(code, detail=type(error).__name__) from error
