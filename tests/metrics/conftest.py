"""The simulator and a scene, as the acceptance tests have them."""

from tests.acceptance.conftest import door, scene

__all__ = ["door", "scene"]
