"""A cohort's cases one after the other, or on workers; what is done stays done."""
