"""A simulated tenant, a Teams channel and a small host: the whole way, on one machine."""
