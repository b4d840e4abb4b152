"""What happens to installations of the app: made, narrowed, suspended, taken away."""

from bot.sandbox.github.faults import Impossible
from bot.sandbox.github.hooks import Delivery
from bot.sandbox.github.hub import Hub
from bot.sandbox.github.model import Account, Installation, Repository
from bot.sandbox.github.shapes import accounts


def of_account(hub: Hub, account: Account) -> Installation:
    """The installation on an account. Raises Impossible when there is none."""
    found = next((one for one in hub.world.installations.values() if one.account is account), None)
    if found is None:
        raise Impossible(f"the app is not installed on {account.login}")
    return found


def install(hub: Hub, account: Account) -> Installation:
    """Install the app on an account with all it asks for, quietly; the one there is when it is installed already."""
    try:
        return of_account(hub, account)
    except Impossible:
        app, number = hub.world.app, hub.world.next_id()
        made = Installation(number, account, dict(app.permissions), list(app.events), hub.world.now())
        hub.world.installations[number] = made
        return made


def announce(hub: Hub, installation: Installation, action: str, by: Account) -> Delivery:
    """Tell the app of the installation itself: `created`, `deleted`, `suspend`, `unsuspend`, …"""
    repositories = accounts.installed(hub.world, installation)
    return hub.tell_installation(
        installation, "installation", by, action=action, repositories=repositories, requester=None
    )


def remove(hub: Hub, installation: Installation, by: Account) -> Delivery:
    """Uninstall: its tokens are worth nothing from now on."""
    told = announce(hub, installation, "deleted", by)
    del hub.world.installations[installation.id]
    for token, issued in list(hub.tokens.issued.items()):
        if issued.identity.installation is installation:
            hub.tokens.revoke(token)
    return told


def suspend(hub: Hub, installation: Installation, by: Account, *, on: bool) -> Delivery:
    """Suspend or take up again."""
    installation.suspended_at = hub.world.now() if on else None
    return announce(hub, installation, "suspend" if on else "unsuspend", by)


def select(hub: Hub, installation: Installation, chosen: list[Repository] | None, by: Account) -> Delivery:
    """Change which repositories the app is installed on (None: all of the account), and tell it."""
    before = hub.world.covered(installation)
    installation.selected = None if chosen is None else {one.id for one in chosen}
    after = hub.world.covered(installation)
    added = [accounts.installed_repository(one) for one in after if one not in before]
    removed = [accounts.installed_repository(one) for one in before if one not in after]
    return hub.tell_installation(
        installation,
        "installation_repositories",
        by,
        action="removed" if removed and not added else "added",
        repository_selection="all" if chosen is None else "selected",
        repositories_added=added,
        repositories_removed=removed,
        requester=None,
    )
