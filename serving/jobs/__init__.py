"""Jobs: what people do with them, what workers do with them, and what is kept of them in the database."""
