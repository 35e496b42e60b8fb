"""What Prometheus is told: of this process, and of the fleet as the database has it."""
