"""Images go to ECR: the repository is made once or adopted, the login is kept, and a real registry holds the digest."""

from __future__ import annotations

import base64
import io
import tarfile
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from aws.clients import AwsClients
from aws.ecr import EcrRegistry, Login
from bot.engines.docker.access import RegistryAccess
from bot.engines.docker.api import EngineApi
from bot.engines.docker.registry import DockerRegistry
from bot.errors import Permanent
from bot.ports.images import BuiltImage, LogSink, PushedImage
from tests.aws.emulator.handle import Emulator
from tests.aws.registry import DataPlane

IMAGE = BuiltImage("sha256:" + "1" * 64, "local:1")


@dataclass
class Pushes:
    """Stands for the engine: takes every image, but refuses the first `refuses` logins."""

    logins: list[Login] = field(default_factory=list)
    refuses: int = 0

    def __call__(self, login: Login) -> Pushes:
        self.logins.append(login)
        return self

    async def push(self, image: BuiltImage, repository: str, tag: str, log: LogSink) -> PushedImage:
        """By the image's own id."""
        if self.refuses:
            self.refuses -= 1
            raise Permanent("registry_denied", message="expired")
        name = f"{self.logins[-1].host}/{repository}"
        return PushedImage(f"{name}@{image.id}", name, pushed=True)


class Lasting(EcrRegistry):
    """The emulator's logins ended years ago; here they last, as AWS's do."""

    lasts = timedelta(hours=12)

    async def _new_login(self) -> Login:
        return replace(await super()._new_login(), expires_at=datetime.now(UTC) + self.lasts)


@pytest.fixture
def repository() -> str:
    return f"acme-{uuid.uuid4().hex[:8]}"


async def test_a_repository_is_made_as_it_should_be(clients: AwsClients, repository: str) -> None:
    registry = EcrRegistry(clients, Pushes(), "here")
    pushed = await registry.push(IMAGE, repository, "main-1", print)
    assert pushed.uri == f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{repository}@{IMAGE.id}"
    (made,) = (await clients.call("ecr", "DescribeRepositories", repositoryNames=[repository]))["repositories"]
    assert made["imageScanningConfiguration"] == {"scanOnPush": True}
    assert made["imageTagMutability"] == "MUTABLE"
    policy = await clients.call("ecr", "GetLifecyclePolicy", repositoryName=repository)
    assert "imageCountMoreThan" in policy["lifecyclePolicyText"]


async def test_somebody_elses_repository_is_adopted_as_it_is(
    clients: AwsClients, emulator: Emulator, repository: str
) -> None:
    await clients.call("ecr", "CreateRepository", repositoryName=repository, imageTagMutability="IMMUTABLE")
    emulator.goes_wrong()
    await EcrRegistry(clients, Pushes(), "here").push(IMAGE, repository, "1", print)
    assert not {"ecr.CreateRepository", "ecr.PutLifecyclePolicy"} & set(emulator.calls())


async def test_a_policy_that_a_crash_left_out_is_put_later(
    clients: AwsClients, emulator: Emulator, repository: str
) -> None:
    emulator.goes_wrong({"kind": "deny", "operation": "PutLifecyclePolicy"})
    with pytest.raises(Permanent, match="aws_denied") as refused:
        await EcrRegistry(clients, Pushes(), "here").push(IMAGE, repository, "1", print)
    assert refused.value.facts["action"] == "ecr:PutLifecyclePolicy"
    await EcrRegistry(clients, Pushes(), "here").push(IMAGE, repository, "1", print)
    assert await clients.call("ecr", "GetLifecyclePolicy", repositoryName=repository)


async def test_a_repository_that_was_deleted_meanwhile_is_made_again(clients: AwsClients, repository: str) -> None:
    registry = EcrRegistry(clients, Pushes(), "here")
    await registry.push(IMAGE, repository, "1", print)
    await clients.call("ecr", "DeleteRepository", repositoryName=repository, force=True)
    await registry.push(IMAGE, repository, "2", print)
    assert await clients.call("ecr", "GetLifecyclePolicy", repositoryName=repository)


CALLS = [
    "DescribeRepositories",
    "CreateRepository",
    "ListTagsForResource",
    "GetLifecyclePolicy",
    "PutLifecyclePolicy",
    "GetAuthorizationToken",
]


@pytest.mark.parametrize("kind", ["throttle", "fault", "reset", "cut"])
@pytest.mark.parametrize("operation", CALLS)
async def test_a_call_that_goes_wrong_is_made_again_with_one_repository(
    clients: AwsClients, emulator: Emulator, repository: str, operation: str, kind: str
) -> None:
    emulator.goes_wrong({"kind": kind, "operation": operation, "times": 2})
    pushed = await EcrRegistry(clients, Pushes(), "here").push(IMAGE, repository, "1", print)
    assert pushed.pushed
    assert emulator.fired() == [2]
    assert await clients.call("ecr", "GetLifecyclePolicy", repositoryName=repository)


async def test_a_login_is_kept_until_shortly_before_it_ends(
    clients: AwsClients, emulator: Emulator, repository: str
) -> None:
    registry = Lasting(clients, Pushes(), "here")
    emulator.goes_wrong()
    for tag in "123":
        await registry.push(IMAGE, repository, tag, print)
    assert emulator.calls().count("ecr.GetAuthorizationToken") == 1
    assert emulator.calls().count("ecr.GetLifecyclePolicy") == 1
    registry.lasts = timedelta(minutes=5)
    registry._login = None
    for tag in "45":
        await registry.push(IMAGE, repository, tag, print)
    assert emulator.calls().count("ecr.GetAuthorizationToken") == 3


async def test_a_login_that_is_refused_is_renewed_once(clients: AwsClients, repository: str) -> None:
    pushes, known = Pushes(refuses=1), list[str]()
    registry = Lasting(clients, pushes, "here", register_secret=known.append)
    assert (await registry.push(IMAGE, repository, "1", print)).pushed
    assert len(pushes.logins) == 2
    assert pushes.logins[0].password in known
    assert pushes.logins[0].password not in repr(pushes.logins)
    pushes.refuses = 2
    with pytest.raises(Permanent, match="registry_denied"):
        await registry.push(IMAGE, repository, "2", print)


@pytest.fixture
async def engine() -> AsyncIterator[EngineApi]:
    api = EngineApi()
    yield api
    await api.close()


@pytest.fixture
async def small_image(engine: EngineApi) -> AsyncIterator[BuiltImage]:
    """An image of one file nobody else has."""
    name = f"shipmate-test-{uuid.uuid4().hex[:12]}"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        content = name.encode()
        entry = tarfile.TarInfo("who")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))

    async def data() -> AsyncIterator[bytes]:
        yield packed.getvalue()

    params = {"fromSrc": "-", "repo": name, "tag": "1"}
    async with engine.events("POST", "images/create", params=params, data=data()) as events:
        told = [event async for event in events]
    image = BuiltImage(str(told[-1]["status"]), f"{name}:1")
    yield image
    await engine.ask("DELETE", f"images/{image.id}", params={"force": True})


@pytest.mark.docker
async def test_a_real_registry_gets_the_layers_once_and_answers_by_digest(
    clients: AwsClients, data_plane: DataPlane, engine: EngineApi, small_image: BuiltImage, repository: str
) -> None:
    def pusher(login: Login) -> DockerRegistry:
        return DockerRegistry(engine, RegistryAccess(login.host, login.username, login.password))

    registry = EcrRegistry(clients, pusher, "here", host=data_plane.host)
    first, second = list[str](), list[str]()
    pushed = await registry.push(small_image, repository, "main-1", first.append)
    assert await registry.push(small_image, repository, "main-2", second.append) == pushed
    assert any(line.endswith(": Pushed") for line in first)
    assert any(line.endswith(": Layer already exists") for line in second)
    name, _, digest = pushed.uri.partition("@")
    assert name == f"{data_plane.host}/{repository}"
    login = await registry.login()
    entered = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
    headers = {
        "Authorization": f"Basic {entered}",
        "Accept": "application/vnd.docker.distribution.manifest.v2+json",
    }
    url = f"http://{data_plane.host}/v2/{repository}/manifests/main-1"
    async with aiohttp.ClientSession() as session, session.head(url, headers=headers) as reply:
        assert reply.headers["Docker-Content-Digest"] == digest
