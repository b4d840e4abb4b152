"""What may be done to environments themselves: only where the app was given more than it asks for.

Each call needs a permission that app.yml leaves out on purpose; whoever calls does without when it is refused.
"""

from __future__ import annotations

from bot.github.client.client import Client
from bot.github.client.failures import NotFound


async def delete_environment(client: Client, name: str) -> None:
    """Forget an environment with its rules. May be repeated. Raises Permanent where the app may not.

    https://docs.github.com/en/rest/deployments/environments#delete-an-environment
    """
    operation = "DELETE /repos/{owner}/{repo}/environments/{environment_name}"
    try:
        await client.call(operation, lambda _: None, environment_name=name)
    except NotFound:
        return
