"""RQ jobs: one file a job, one function, one core call, the next wake-up."""
