"""A TCP proxy with toxics and the HTTP API of Toxiproxy 2.12 (https://github.com/Shopify/toxiproxy), for machines without it.

`api` answers requests, `proxy` accepts connections, `stream` is one direction of one of them, `toxics` is what is done to its bytes.
Of the standard library alone. Where it is better than the model: the end of one direction leaves the other open, and a reset is passed on.
"""
