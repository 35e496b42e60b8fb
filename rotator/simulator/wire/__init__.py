"""What lies between the sockets and the state: requests as values, faults, history, pauses, servers."""
