"""The documented API: one module for each resource, and the table that says what is asked of which."""
