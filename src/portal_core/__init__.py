"""The customer portal's rules, free of any framework or database."""
