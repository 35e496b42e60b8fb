"""The service: looks for what is due, works at it with a fixed pool of threads, stops and reloads when told to."""
