"""What a real engine's log of a failed build comes to, with either builder."""

from __future__ import annotations

import pytest

from bot.errors import Permanent
from bot.jobs.deploy.image.build_remarks import build_remarks
from tests.engines.docker.conftest import Workshop

pytestmark = pytest.mark.docker


async def test_a_traceback_of_a_build_step_is_remarked_on_the_repositorys_innermost_line(workshop: Workshop) -> None:
    workshop.write("shop/cart.py", "import json\n\n\ndef total():\n    return json.loads('x')\n\n\ntotal()\n")
    workshop.dockerfile("WORKDIR /srv/shop", "COPY . .", "RUN python shop/cart.py")
    with pytest.raises(Permanent, match="build_failed"):
        await workshop.build()
    (remark,) = build_remarks(workshop.log, workshop.folder, "Dockerfile", ".", made=False)
    assert (remark["path"], remark["line"], remark["title"]) == ("shop/cart.py", 5, "JSONDecodeError")
