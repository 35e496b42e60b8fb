"""`rotator demo`: the main job before your eyes, against servers of its own that end with it."""
