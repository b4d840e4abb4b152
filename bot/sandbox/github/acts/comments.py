"""What happens to comments and reactions, whoever leaves them."""

from typing import Any

from bot.sandbox.github.hooks import Delivery
from bot.sandbox.github.hub import Hub
from bot.sandbox.github.model import Account, App, Comment, Reaction, Repository
from bot.sandbox.github.shapes import talk


def create(
    hub: Hub, repository: Repository, number: int, body: str, by: Account, app: App | None = None
) -> tuple[Comment, Delivery | None]:
    """A new comment on an issue or a pull request that exists."""
    now = hub.world.now()
    comment = Comment(hub.world.next_id(), number, by, body, now, now, app)
    repository.comments[comment.id] = comment
    return comment, _tell(hub, repository, comment, "created", by)


def edit(hub: Hub, repository: Repository, comment: Comment, body: str, by: Account) -> Delivery | None:
    """Change what a comment says."""
    before, comment.body, comment.updated_at = comment.body, body, hub.world.now()
    return _tell(hub, repository, comment, "edited", by, changes={"body": {"from": before}})


def delete(hub: Hub, repository: Repository, comment: Comment, by: Account) -> Delivery | None:
    """Take a comment away."""
    delivery = _tell(hub, repository, comment, "deleted", by)
    del repository.comments[comment.id]
    return delivery


def react(hub: Hub, reactions: list[Reaction], content: str, by: Account) -> tuple[Reaction, bool]:
    """Leave an emoji; the same one by the same account stands only once. Whether it is new."""
    for one in reactions:
        if one.content == content and one.user is by:
            return one, False
    reaction = Reaction(hub.world.next_id(), by, content, hub.world.now())
    reactions.append(reaction)
    return reaction, True


def _tell(hub: Hub, repository: Repository, comment: Comment, action: str, by: Account, **more: Any) -> Delivery | None:
    """An `issue_comment` event."""
    issue = talk.issue_in_delivery(hub.base, repository, repository.issues[comment.number])
    shape = talk.comment(hub.base, repository, comment)
    return hub.tell(repository, "issue_comment", by, action=action, issue=issue, comment=shape, **more)
