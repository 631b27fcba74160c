"""Speed and memory, side by side with the bare engine in the same run."""
