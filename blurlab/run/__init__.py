"""The only place that knows Hydra: compose, build, stages, resume, records."""
