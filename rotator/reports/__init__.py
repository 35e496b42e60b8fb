"""What an auditor asks for, as a table, as JSON and as a page to print."""
