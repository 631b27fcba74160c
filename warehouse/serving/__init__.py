"""How a finished build reaches people: publishing, the report page, the data dictionary."""
