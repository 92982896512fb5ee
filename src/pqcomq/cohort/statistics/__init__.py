"""What is told of a cohort's scores: means, worst cases, paired differences, doubt, volumes, the published table."""
