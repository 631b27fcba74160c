"""Does partnership go with more mutual value? Data frames in, data frames out."""
