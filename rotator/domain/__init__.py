"""The words of the field as types: pairs, consumers, rotations, facts, errors. No I/O."""
