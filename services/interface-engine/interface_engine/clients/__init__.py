"""Whom the engine asks: the services that own an answer, the folders of feeds, the addresses of clients' keys."""
