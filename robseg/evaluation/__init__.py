"""Run models on corrupted images and count their predictions.

A `request` holds the options, `resolve` looks up their names, and `job` loads the data set and the models.
`shards` lists the work that is left, `executors` distribute it, a `worker` does one shard, be it in one of
several `processes`, and the `store` keeps the counts. `run` does all shards of a job with an executor, and
`record` describes the run.
"""
