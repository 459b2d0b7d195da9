"""aggflow: define an aggregate once, build it incrementally, answer from it in milliseconds."""
