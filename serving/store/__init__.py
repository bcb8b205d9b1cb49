"""What is kept: the tables of the database, and the files."""
