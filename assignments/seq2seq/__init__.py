"""Encoder and decoder, teacher forcing, greedy decoding and scheduled sampling."""
