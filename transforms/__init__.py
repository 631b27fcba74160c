"""What the numbers mean: export contracts, SQL models, measures and the contrast."""
