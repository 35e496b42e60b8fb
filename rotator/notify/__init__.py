"""Telling a human: how a notice reads on each channel, who carries it there, and what happens when nobody answers.

Imports the domain alone: the wire (HTTP, TLS) and the outbox are handed in by `wiring`, as the ports of `wire` and
`postman`. So a channel is its words and the meaning of its answers, and the vendor libraries keep their one home.
"""
