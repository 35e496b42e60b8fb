"""The control surface: what people and programs ask of a running daemon, over a Unix socket or over TLS."""
