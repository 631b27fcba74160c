"""Where data lives and how SQL runs: landing, contracts, casting, the engine, models, serving."""
