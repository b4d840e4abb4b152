"""Names what an instance carries so that it can be told whose it is, what made it, and from what."""

from __future__ import annotations

import dataclasses
import hashlib
import json

from bot.ports.running import InstanceSpec

OWNER, JOB, SERVICE = "shipmate.owner", "shipmate.job", "shipmate.service"
SPEC, PORT = "shipmate.spec", "shipmate.port"
BUILDER = "shipmate.builder"
"""Whose an image is. Not `OWNER`: a container inherits its image's labels, and whoever starts one from an image of ours
would have it taken for an instance of ours that nobody needs, and removed."""


def labels(spec: InstanceSpec, owner: str) -> dict[str, str]:
    """The labels asked for, and those by which we find and compare; ours have the last word."""
    ours = {OWNER: owner, JOB: spec.job_id, SERVICE: spec.service, SPEC: spec_hash(spec), PORT: str(spec.port)}
    return {**spec.labels, **ours}


def spec_hash(spec: InstanceSpec) -> str:
    """Equal for equal specs. It covers the environment, but nothing of that can be read from it."""
    plain = json.dumps(dataclasses.asdict(spec), sort_keys=True, default=dict)
    return hashlib.sha256(plain.encode()).hexdigest()
