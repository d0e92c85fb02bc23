"""The average hand of each sex and half year of bone age."""
