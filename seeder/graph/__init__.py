"""A scenario's steps before anything acts: what comes before what, what fits what, and what is made of them. Pure."""
