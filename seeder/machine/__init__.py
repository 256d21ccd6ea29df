"""What is asked of the operating system: files, folders and processes, the home that seeder keeps on it, and the signals that end a run."""
