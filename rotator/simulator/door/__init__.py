"""The admin door: everything a test may see and turn, as JSON over HTTP on a port of its own."""
