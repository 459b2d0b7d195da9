"""Building states, planning and answering questions, verifying."""
