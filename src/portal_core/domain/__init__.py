"""Values, entities and rules: nothing here reads a clock, a database or the network."""
