"""По-русски: луч как два параллельных списка и тензор состояний; запоминает лучший законченный текст."""
import torch


def beam_search(model, char_to_idx, idx_to_char, seed="The ", length=200, beam_width=5, device="cpu", length_penalty=0.0, end_char=None):
    if not seed or any(знак not in char_to_idx for знак in seed):
        raise ValueError("плохое начало")
    if beam_width < 1 or length < 1:
        raise ValueError("ширина и длина начинаются с единицы")
    конец = -1 if end_char is None else char_to_idx[end_char]
    режим = model.training
    model.eval()
    try:
        with torch.no_grad():
            ответ, состояния = model(torch.tensor([[char_to_idx[знак] for знак in seed]]).to(device), None)
            тексты, счета = [""], torch.zeros(1, 1, device=device)
            лучший, рекорд = "", -float("inf")
            for шаг in range(length):
                таблица = счета + torch.log_softmax(ответ[:, -1], 1)
                ширина = min(beam_width, таблица.numel())
                новые, места = torch.topk(таблица.view(-1), ширина)
                родители, знаки = места // таблица.size(1), места % таблица.size(1)
                живые = []
                for k in range(ширина):
                    родитель, знак, счёт = int(родители[k]), int(знаки[k]), float(новые[k])
                    текст = тексты[родитель] + ("" if знак == конец else idx_to_char[знак])
                    if знак == конец or шаг == length - 1:
                        оценка = счёт / (шаг + 1) ** length_penalty
                        if оценка > рекорд:
                            лучший, рекорд = текст, оценка
                    else:
                        живые.append((k, текст))
                if not живые:
                    break
                строки = torch.tensor([k for k, _ in живые], device=device)
                тексты, счета = [текст for _, текст in живые], новые[строки].unsqueeze(1)
                родители, знаки = родители[строки], знаки[строки]
                состояния = [[часть[родители] for часть in слой] for слой in состояния]
                ответ, состояния = model(знаки.view(-1, 1), состояния)
            return seed + лучший
    finally:
        model.train(режим)
