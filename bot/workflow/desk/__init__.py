"""The desk: what people may do, and whether there is room for it."""
