"""Who can bring about business state: typed Python functions of the teams that own it."""
