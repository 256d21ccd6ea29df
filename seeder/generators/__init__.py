"""Who can bring about business state: functions of the teams that own it, in Python or behind HTTP."""
