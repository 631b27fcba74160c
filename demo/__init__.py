"""A made-up supplier: writes the exports of real systems, with a known truth."""
