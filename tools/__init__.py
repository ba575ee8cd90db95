"""What is run beside the portal: reports, reference, pictures, and checks of the structure."""
