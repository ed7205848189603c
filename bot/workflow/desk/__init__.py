"""The desk: what people may do, and admission of new requests."""
