"""From the bytes of a file to a bone age with its prediction interval."""
