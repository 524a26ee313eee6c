"""Which story of the memory world a name stands for."""

from __future__ import annotations

from reliability import histories, orders, together
from reliability.stories import STORIES
from reliability.telling import Story


def named(name: str) -> Story:
    """Return the story that a name stands for: one of the stories, an order of deliveries, runs side by side, or a
    history.

    Raises:
        ValueError: it stands for none.
    """
    if name in STORIES:
        return STORIES[name]
    if name.startswith(together.PREFIX):
        return together.story(name)
    if name.startswith(histories.PREFIX):
        return histories.story(name)
    return orders.story(name)
