"""The machinery: arrays in, arrays out.

No key policy, no containers and no knowledge of fields lives here, and nothing here is public: the public door to it
is `privkit.lowlevel`.
"""
