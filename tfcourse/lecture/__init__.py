"""The lecture, a topic a file: what is run, what is drawn, what is claimed, what notes get wrong.

A topic is read from top to bottom. `topics` lists them; `ledger` keeps their claims, `gallery`
their figures, `page` makes CLAIMS.md; `statistics`, `population` and `style` are what they share.
"""
