"""What a client or staff can do: one function for each action, each within one transaction of a store."""
