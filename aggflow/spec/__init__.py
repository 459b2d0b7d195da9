"""What users declare, as frozen values."""
