"""What pages work out of documents before they show them."""
