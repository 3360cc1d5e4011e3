"""The report: a static site in `build/report/` that opens from disk, made of what a run has left and nothing else."""
