"""From a command line to jobs: compose, check, plan, and do one run after another."""
