"""The model: parameters and the rules of a customer's life."""
