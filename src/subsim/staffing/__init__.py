"""How many people: closed-form queues, rules of thumb, and the simulated response of the business to seats."""
