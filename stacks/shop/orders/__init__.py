"""Who bought what: baskets, orders, subscriptions, and the checkout saga over the other services."""
