"""Evaluate models under corruptions.

request is what a user asks for, resolve finds the names in it, job is what it becomes, shards are what is
left to compute, executors do them, worker does a single one, and store holds the counts.
"""
