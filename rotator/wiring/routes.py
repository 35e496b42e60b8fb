"""Who is told of what. Apart from the senders, which most commands never need."""

from __future__ import annotations

from collections.abc import Sequence

from rotator.config import Config
from rotator.config.notify import HOOKS, named
from rotator.domain.notice import Notice, Routes, Topic, nobody


def routes_of(config: Config) -> Routes:
    """Who is told of a notice: the channels that want it, and the hook of an app whose new pair is live."""
    channels = named(config.notify)
    hooked = {name for name, app in config.apps.items() if app.hooks.published}

    def routes(notice: Notice) -> Sequence[str]:
        told = [name for name, channel in channels.items() if channel.wants(notice.topic, notice.org, notice.app)]
        return [*told, HOOKS] if notice.topic is Topic.PUBLISHED and notice.app in hooked else told

    return routes if channels or hooked else nobody
