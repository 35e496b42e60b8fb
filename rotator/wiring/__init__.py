"""Who gets which port: from a configuration to running rotations. Command line and daemon stand on this."""
