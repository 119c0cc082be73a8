"""Reports: each one is made of the engine's events and of nothing else."""
