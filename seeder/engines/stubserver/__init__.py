"""A small server that answers as WireMock does, for machines without containers: a program of its own, on the standard library alone.

It knows the part of WireMock's mappings and admin API that `subset` names, and refuses the rest. What it does with that part is what
WireMock 3.13 does: https://wiremock.org/docs
"""
