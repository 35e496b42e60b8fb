"""The rotation: one list of steps over a pure look at the world, and a small runner (protocol.md section 3)."""
