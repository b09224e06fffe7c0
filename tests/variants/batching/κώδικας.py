"""Ελληνικά ονόματα· ένα κλείσιμο ως idx_to_char και μια γεννήτρια που αντλεί από άλλη."""
import torch

Σφάλμα = ValueError


def build_vocab(κείμενο):
    χαρακτήρες = tuple(sorted(set(κείμενο), key=ord))
    if not χαρακτήρες:
        raise Σφάλμα("κενό κείμενο")

    def πίσω(αριθμός):
        return χαρακτήρες[αριθμός]

    return {χ: α for α, χ in enumerate(χαρακτήρες)}, πίσω


def encode(κείμενο, char_to_idx):
    αριθμοί = []
    for χ in κείμενο:
        α = char_to_idx.get(χ, -1)
        if α < 0:
            raise Σφάλμα(f"άγνωστος χαρακτήρας: «{χ}»")
        αριθμοί += [α]
    return torch.LongTensor(αριθμοί)


def decode(indices, idx_to_char):
    ρώτα = idx_to_char if callable(idx_to_char) else lambda α: idx_to_char[α]
    return "".join(ρώτα(int(α)) for α in indices)


def _γραμμές(data, Β, πλάτος):
    for β in range(Β):
        αρχή = β * πλάτος
        yield data[αρχή:αρχή + πλάτος + 1]


def create_batches(data, batch_size, seq_len):
    Β, Τ = batch_size, seq_len
    if Β < 1 or Τ < 1:
        raise Σφάλμα("μεγέθη κάτω από 1")
    ν = (data.size(0) - 1) // (Β * Τ)
    if ν < 1:
        raise Σφάλμα("λίγα δεδομένα")
    όλα = torch.stack([*_γραμμές(data, Β, ν * Τ)])  # (Β, ν·Τ + 1)
    τ = 0
    while τ < ν * Τ:
        yield όλα[:, τ:τ + Τ].clone(), όλα[:, τ + 1:τ + Τ + 1].clone()
        τ += Τ
