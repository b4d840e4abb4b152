"""Decides who is asking: the app by its JWT, an installation or a person by a token, or nobody."""

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from typing import Any

import jwt

from bot.sandbox.github.model import Account, Installation, Repository, World
from bot.sandbox.github.refusals import GitHubError, bad_credentials, invalid_request

Json = dict[str, Any]
JWT_LIFE_S = 600
LEVELS = ("none", "read", "write", "admin")
JWT_DOCS = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Identity:
    """Who asks. `kind` is `app`, `installation`, `user` or `anonymous`; what doesn't apply is None."""

    kind: str
    token: str = field(default="", repr=False)
    installation: Installation | None = None
    user: Account | None = None
    permissions: dict[str, str] = field(default_factory=dict)
    repository_ids: frozenset[int] | None = None

    @property
    def bucket(self) -> str:
        """Whose rate limit it counts against."""
        if self.installation:
            return f"installation:{self.installation.id}"
        return f"user:{self.user.login}" if self.user else self.kind

    def covers(self, repository: Repository) -> bool:
        """Whether an installation token reaches this repository."""
        chosen = self.repository_ids is None or repository.id in self.repository_ids
        return self.installation is not None and chosen and self.installation.covers(repository)

    def has(self, permission: str, level: str) -> bool:
        """Whether an installation token carries at least this level of a permission."""
        held = "read" if permission == "metadata" else self.permissions.get(permission, "none")
        return LEVELS.index(held) >= LEVELS.index(level)

    def sees(self, repository: Repository) -> bool:
        """Whether this repository exists at all for whoever asks."""
        if not repository.private or self.covers(repository):
            return True
        return self.user is not None and repository.allows(self.user.login, "read")


ANONYMOUS = Identity("anonymous")


@dataclass
class Issued:
    """One token given out; `expires_at` None lasts for ever."""

    identity: Identity
    expires_at: float | None


@dataclass
class Tokens:
    """All tokens given out. New installation tokens last `life_s` seconds and have `length` characters."""

    world: World
    life_s: float = 3600.0
    length: int = 40
    issued: dict[str, Issued] = field(default_factory=dict)

    def identify(self, authorization: str | None) -> Identity:
        """Who an Authorization header speaks for. Raises GitHubError 401."""
        if not authorization:
            return ANONYMOUS
        scheme, _, value = authorization.strip().partition(" ")
        if scheme.lower() == "basic":
            return self.bearer(_password(value))
        if scheme.lower() not in ("bearer", "token"):
            raise bad_credentials()
        return self.bearer(value.strip())

    def bearer(self, token: str) -> Identity:
        """Who a token or a JWT speaks for. Raises GitHubError 401."""
        if token.count(".") == 2 and not token.startswith("gh"):
            return self._app(token)
        found = self.issued.get(token)
        if found is None or (found.expires_at is not None and found.expires_at <= self.world.now()):
            raise bad_credentials()
        if found.identity.installation and found.identity.installation.suspended_at:
            raise GitHubError(403, "This installation has been suspended")
        return found.identity

    def _app(self, token: str) -> Identity:
        """The app, if the JWT is signed by its key and its times hold."""
        app = self.world.app
        try:
            options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
            options |= {"verify_iss": False, "verify_sub": False, "verify_jti": False}
            claims = jwt.decode(token, app.public_key_pem, algorithms=["RS256"], options=options)
        except jwt.PyJWTError as error:
            raise _jwt_refused("A JSON web token could not be decoded") from error
        _require_times(claims, self.world.now())
        if "iss" not in claims:
            raise _jwt_refused("Missing 'issuer' claim ('iss') in assertion")
        if str(claims["iss"]) not in (str(app.id), app.client_id):
            raise GitHubError(404, "Integration not found", docs=JWT_DOCS)
        return Identity("app", token)

    def mint(self, installation: Installation, body: Json) -> tuple[Identity, float]:
        """A new installation token, no wider than asked and than the installation is. Raises GitHubError 422."""
        chosen = _chosen_repositories(self.world, installation, body)
        permissions = _chosen_permissions(installation, body.get("permissions"))
        token = "ghs_" + secrets.token_urlsafe(self.length)[: self.length - 4].replace("-", "A").replace("_", "B")
        identity = Identity("installation", token, installation, None, permissions, chosen)
        expires_at = self.world.now() + self.life_s
        self.issued[token] = Issued(identity, expires_at)
        return identity, expires_at

    def for_user(self, user: Account, prefix: str = "ghp_") -> str:
        """A new token of a person: `ghp_` their own, `ghu_` given to the app by them."""
        token = prefix + secrets.token_hex(18)
        self.issued[token] = Issued(Identity("user", token, user=user), None)
        return token

    def revoke(self, token: str) -> None:
        """Make a token worthless."""
        self.issued.pop(token, None)

    def expire_all(self) -> int:
        """Make every installation token given out so far worthless; how many there were."""
        gone = [token for token, issued in self.issued.items() if issued.identity.installation]
        for token in gone:
            self.revoke(token)
        return len(gone)


def _password(encoded: str) -> str:
    """The token in Basic credentials: the password, or the name where there is none."""
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise bad_credentials() from error
    return password if password not in ("", "x-oauth-basic") else name


def _jwt_refused(message: str) -> GitHubError:
    return GitHubError(401, message, docs=JWT_DOCS)


def _require_times(claims: Json, now: float) -> None:
    """Raises GitHubError 401 unless the JWT was issued in the past and ends within ten minutes from now.

    https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
    """
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or issued > now:
        raise _jwt_refused(
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
        )
    if not isinstance(expires, int) or expires <= now:
        raise _jwt_refused(
            "'Expiration time' claim ('exp') must be a numeric value representing the future time "
            "at which the assertion expires"
        )
    if expires > now + JWT_LIFE_S or expires - issued > JWT_LIFE_S + 60:
        raise _jwt_refused("'Expiration time' claim ('exp') is too far in the future")


def _chosen_repositories(world: World, installation: Installation, body: Json) -> frozenset[int] | None:
    """Ids of the repositories asked for, None when none were named. Raises GitHubError 422."""
    if "repositories" not in body and "repository_ids" not in body:
        return None
    covered = {one.id: one.name for one in world.covered(installation)}
    wanted_ids = set(body.get("repository_ids", []))
    wanted_ids |= {number for number, name in covered.items() if name in body.get("repositories", [])}
    unknown = set(body.get("repositories", [])) - set(covered.values())
    if unknown or not wanted_ids <= covered.keys() or not wanted_ids:
        raise GitHubError(
            422,
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        )
    return frozenset(wanted_ids)


def _chosen_permissions(installation: Installation, wanted: dict[str, str] | None) -> dict[str, str]:
    """The permissions asked for, all of the installation's by default. Raises GitHubError 422."""
    if wanted is None:
        return dict(installation.permissions)
    if not wanted:
        raise invalid_request("Permissions must not be empty.")
    for permission, level in wanted.items():
        held = installation.permissions.get(permission, "none")
        if LEVELS.index(level) > LEVELS.index(held):
            raise GitHubError(422, "The permissions requested are not granted to this installation.")
    return {**wanted, "metadata": "read"}
