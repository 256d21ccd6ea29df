"""What is sold: categories, products, prices, stock and what is reserved of it."""
