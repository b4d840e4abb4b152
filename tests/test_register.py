"""`shipmate register`: from the button to the settings a server starts with."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner

from bot.cli import cli
from bot.config import from_environment
from bot.github.registration import Registered
from bot.sandbox.sandbox import Sandbox
from bot.shell.register import MANIFEST
from bot.shell.registering import Registering, served

URL = "https://ship.acme.test"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as made:
        yield made


class Browser:
    """A registration under way, and the browser of whoever runs it."""

    def __init__(self, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
        text = MANIFEST.read_text(encoding="utf-8")
        url = sandbox.github.url
        self.registering = Registering(text, URL, "Acme ships", "acme", "https://github.test", url, "en")
        self.running = asyncio.create_task(served(self.registering, 0))
        self._capsys = capsys

    async def address(self) -> str:
        said = ""
        while not said:
            await asyncio.sleep(0.01)
            said = self._capsys.readouterr().out
        return said.split()[1]

    async def made(self) -> Registered:
        return await asyncio.wait_for(self.running, 20)


@pytest.fixture
async def browser(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Browser]:
    opened = Browser(sandbox, capsys)
    yield opened
    opened.running.cancel()


async def test_the_button_hands_the_manifest_to_github_and_the_code_that_comes_back_makes_the_app(
    sandbox: Sandbox, browser: Browser
) -> None:
    address = await browser.address()
    async with aiohttp.ClientSession(address) as session:
        async with session.get("/") as reply:
            page = await reply.text()
            assert "form-action https://github.test;" in reply.headers["Content-Security-Policy"]
        action = html.unescape(re.findall(r'action="([^"]*)"', page)[0])
        assert action.startswith("https://github.test/organizations/acme/settings/apps/new?state=")
        manifest = json.loads(html.unescape(re.findall(r'name="manifest" value="([^"]*)"', page)[0]))
        assert manifest["hook_attributes"]["url"] == f"{URL}/webhook/github"
        assert (manifest["name"], manifest["redirect_url"]) == ("Acme ships", f"{address}registered")
        assert "example.com" not in json.dumps(manifest)
        back = {"code": sandbox.github.new_manifest_code(), "state": action.rpartition("=")[2]}
        async with session.get("/registered", params=back) as reply:
            assert reply.status == 200
            assert "installations/new" in await reply.text()
    made = await browser.made()
    assert (made.id, made.webhook_secret) == (sandbox.github.app_id, sandbox.github.webhook_secret)


async def test_a_browser_with_another_state_and_a_code_that_is_over_make_nothing(
    sandbox: Sandbox, browser: Browser
) -> None:
    state = browser.registering.state
    async with aiohttp.ClientSession(await browser.address()) as session:
        for query, status in (
            ({"code": sandbox.github.new_manifest_code(), "state": "another"}, 403),
            ({"code": "used", "state": state}, 400),
            ({"state": state}, 400),
        ):
            async with session.get("/registered", params=query) as reply:
                assert (reply.status, "shipmate register" in await reply.text()) == (status, True)
    assert not browser.running.done()


def test_the_settings_that_are_written_start_a_server_and_are_for_their_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Registered(
        7, "acme-ships", "https://github.com/apps/acme-ships", "Iv1.x", "cs", "ws", "-----BEGIN KEY-----\n"
    )

    async def at_once(registering: Registering, port: int) -> Registered:
        return made

    monkeypatch.setattr("bot.shell.registering.served", at_once)
    out = tmp_path / "shipmate.env"
    words = ["register", "--url", f"{URL}/", "--out", str(out)]
    result = CliRunner().invoke(cli, words)
    assert (result.exit_code, made.install_page in result.output) == (0, True), result.output
    assert [path.stat().st_mode & 0o777 for path in (out, tmp_path / "shipmate.pem")] == [0o600, 0o600]
    settings = from_environment(dict(line.split("=", 1) for line in out.read_text().splitlines()))
    assert settings.github is not None
    assert (settings.github.app_id, settings.github.webhook_secrets) == ("7", (b"ws",))
    assert settings.github.private_key.startswith("-----BEGIN")
    assert (settings.public_url, len(settings.secret_key or b"") >= 32) == (URL, True)
    again = CliRunner().invoke(cli, words)
    assert (again.exit_code, "is there already" in again.output) == (2, True)
    out.unlink()
    (tmp_path / "shipmate.pem").unlink()
    nowhere = CliRunner().invoke(cli, ["register", "--url", URL, "--out", str(tmp_path / "nowhere" / "a.env")])
    assert (nowhere.exit_code, "No such file or directory" in nowhere.output) == (1, True)

    async def given_up(registering: Registering, port: int) -> Registered:
        raise KeyboardInterrupt

    monkeypatch.setattr("bot.shell.registering.served", given_up)
    assert CliRunner().invoke(cli, words).exit_code == 1
    assert list(tmp_path.iterdir()) == []
    wrong = CliRunner().invoke(cli, ["register", "--url", "ship.acme.test", "--out", str(tmp_path / "other.env")])
    assert (wrong.exit_code, "no http or https address" in wrong.output) == (2, True)


def test_a_key_that_was_told_once_stays_where_the_settings_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Registered(
        7, "acme-ships", "https://github.com/apps/acme-ships", "Iv1.x", "cs", "ws", "-----BEGIN KEY-----\n"
    )
    out = tmp_path / "shipmate.env"

    async def while_the_disk_filled(registering: Registering, port: int) -> Registered:
        out.unlink()
        out.symlink_to("/dev/full")
        return made

    monkeypatch.setattr("bot.shell.registering.served", while_the_disk_filled)
    result = CliRunner().invoke(cli, ["register", "--url", URL, "--out", str(out)])
    assert (result.exit_code, "No space left on device" in result.output) == (1, True), result.output
    assert (tmp_path / "shipmate.pem").read_text() == made.private_key
