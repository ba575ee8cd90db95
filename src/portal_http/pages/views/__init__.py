"""One module for each part of the portal: what it shows, and what it takes."""
