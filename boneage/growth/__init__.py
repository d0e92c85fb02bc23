"""What a bone age means: SD for age and sex, adult height, and the course of one child."""
