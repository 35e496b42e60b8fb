"""The figures of the product: `make bench`, JSON on standard output. docs/figures.md keeps what was measured."""
