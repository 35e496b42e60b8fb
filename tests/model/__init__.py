"""The proof of the protocol built onto the real steps: one world in memory, its ports, faults, foreign acts."""
