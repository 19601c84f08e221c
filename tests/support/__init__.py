"""What tests share: a database per worker, the cast, clients, a running stack, waiting without sleeping."""
