"""Evaluations on a Ray cluster: options, the actors that do shards, and the pool that hands shards to them.

Ray itself is imported only where a cluster is asked for.
"""
