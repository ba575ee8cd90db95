"""Records: the facts of the system of record as JSON Lines, in and out."""
