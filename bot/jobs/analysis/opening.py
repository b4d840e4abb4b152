"""Puts the analysis work of one process together: its folders, its threads, and its way to GitHub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bot.config import AnalysisSettings, Settings, require_github
from bot.github.api import GitHub
from bot.github.commit_authors import logins_of
from bot.github.permissions import CLONE
from bot.jobs.analysis.people.logins import AskGitHub
from bot.jobs.analysis.plan import Target
from bot.jobs.analysis.quality.snapshot import ModelSettings, QualitySettings, SonarSettings
from bot.jobs.analysis.repositories.clones import Clones
from bot.jobs.analysis.repositories.folders import sweep
from bot.jobs.analysis.runs.resident import States
from bot.jobs.analysis.tools import AT_ONCE, Tools
from bot.jobs.analysis.work import Analysis
from bot.masking import Masker
from bot.model import Repository
from bot.store.store import Store

MIB = 1 << 20


def open_analysis(settings: Settings, github: GitHub, store: Store, masker: Masker) -> Analysis:
    """The work. Clones and states are kept under the work folder, within the sizes that are set."""
    sweep()
    folder, limits = settings.workdir / "analysis", settings.analysis
    for secret in (limits.sonar_token, limits.model_key):
        if secret:
            masker.register(secret)

    async def token(target: Target) -> str:
        return (await github.token(target.installation_id, target.repository_id, CLONE)).value

    def ask_logins(target: Target, sha: str) -> AskGitHub:
        client = github.repository(target.installation_id, Repository(target.repository_id, target.name), CLONE)

        async def ask(emails: Sequence[str]) -> dict[str, str | None]:
            return await logins_of(client, emails, sha)

        return ask

    tools = Tools(
        clones=Clones(folder / "clones", disk_bytes=limits.clones_mb * MIB),
        states=States(folder / "states", disk_bytes=limits.states_mb * MIB),
        pool=ThreadPoolExecutor(AT_ONCE, thread_name_prefix="analysis"),
        analyses=store.analyses,
        commit_logins=store.commit_logins,
        secrets=store.secrets,
        releases=store.releases,
        github_url=require_github(settings).url,
        token=token,
        ask_logins=ask_logins,
        quality=_quality(limits, masker.mask),
        way_out=settings.proxies,
        locale=settings.locale,
    )
    return Analysis(tools)


def _quality(limits: AnalysisSettings, mask: Callable[[str], str]) -> QualitySettings:
    """What a snapshot holds here, for those who ask for one: the tools always, the services where they are set."""
    sonar = SonarSettings(limits.sonar_url, limits.sonar_project, limits.sonar_token) if limits.sonar_url else None
    model = (
        ModelSettings(
            limits.model_url,
            limits.model_name,
            limits.model_key,
            limits.model_most_characters,
            limits.model_most_tokens,
        )
        if limits.model_url
        else None
    )
    return QualitySettings(complexity=True, findings=True, sonar=sonar, model=model, mask=mask)
