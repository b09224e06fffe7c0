from .vocabulary import Vocabulary, build_vocab, decode, encode
from .cutting import create_batches
