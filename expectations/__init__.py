"""What must be true before anything is published. The only package that imports great_expectations."""
