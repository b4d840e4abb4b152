"""The same engine and workshop as the tests of the Docker engine."""

from tests.engines.docker.conftest import api, base_image, buildkit, owner

__all__ = ["api", "base_image", "buildkit", "owner"]
