"""seeder gives every test run its own complete, correct world."""
