"""What the project's own people run; nothing here travels in the wheel."""
