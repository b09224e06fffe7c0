"""Known wrong training loops, each an edit of the solution. Never handed out."""

from __future__ import annotations

from grader.diagnosis import Misconception

TRAIN = "train"

IMPORT = "import torch\nfrom torch"
TO_DEVICE = "    model.to(device)\n"
ADAM = "    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)\n"
EPOCHS = "    for epoch in range(num_epochs):\n"
TRAINING_MODE = (
    "        model.train()  # in every epoch: on_epoch may have sampled from the model and left it in eval mode\n"
)
FRESH = "        states = None\n"
BATCHES = "create_batches(data, batch_size, seq_len)"
ON_DEVICE = "            x, y = x.to(device), y.to(device)\n"
DETACHED = "states = [(h.detach(), c.detach()) for h, c in states]  # the truncation"
CROSS_ENTROPY = "F.cross_entropy(logits.flatten(0, 1), y.flatten())"
ZERO = "            optimizer.zero_grad()\n"
BACKWARD = "            loss.backward()\n"
CLIP = "            torch.nn.utils.clip_grad_norm_(model.parameters(), grad_clip)\n"
STEP = "            optimizer.step()\n"
MEAN = "sum(batch_losses) / len(batch_losses)"
MEAN_KEPT = f"        losses.append({MEAN})\n"
CALL_BACK = "        if on_epoch is not None:\n            on_epoch(epoch, losses[-1])\n"
RETURN = "    return losses\n"

MISCONCEPTIONS = (
    Misconception(
        "train-not-detached",
        TRAIN,
        ((DETACHED, "states = [(h, c) for h, c in states]"),),
        "“Trying to backward through the graph a second time” in the second batch (TRN-01).",
        "The states seem to arrive in the next batch with the graph of the last one still hanging on them. Their "
        "values should travel on; the way back for gradients should end at the batch's edge.",
    ),
    Misconception(
        "train-only-h-detached",
        TRAIN,
        ((DETACHED, "states = [(h.detach(), c) for h, c in states]"),),
        "The same error, though there is a detach (TRN-02).",
        "One half of the states seems to be cut off from the last batch and the other is not. Each layer has a pair "
        "of states, and gradients flow through both.",
    ),
    Misconception(
        "train-retain-graph",
        TRAIN,
        (
            (DETACHED, "states = [(h, c) for h, c in states]"),
            ("loss.backward()", "loss.backward(retain_graph=True)"),
        ),
        "“Modified by an inplace operation” once the optimiser has stepped (TRN-03).",
        "It looks as if old graphs are kept alive so that backward can run through them again. That cures the message "
        "and not the cause: the graph should not reach back into the last batch at all.",
    ),
    Misconception(
        "train-resets-every-batch",
        TRAIN,
        ((DETACHED, "states = None"),),
        "No error; the context is one batch long (TRN-04).",
        "Every batch seems to start from nothing. Within an epoch a batch goes on where the one before it stopped, "
        "row by row, so its states are worth keeping.",
    ),
    Misconception(
        "train-never-resets",
        TRAIN,
        ((FRESH, ""), (EPOCHS, "    states = None\n" + EPOCHS)),
        "The end of the text is the context of its beginning (TRN-05).",
        "The states at the end of one epoch seem to live on in the next. There the text starts over, so its first "
        "characters have nothing before them.",
    ),
    Misconception(
        "train-no-zero-grad",
        TRAIN,
        ((ZERO, ""),),
        "Gradients add up over all batches (TRN-07).",
        "The gradients seem to pile up from batch to batch. backward adds to what it finds; something has to clear it.",
    ),
    Misconception(
        "train-zero-grad-every-epoch",
        TRAIN,
        ((ZERO, ""), (FRESH, FRESH + ZERO.replace("            ", "        "))),
        "Gradients add up over an epoch's batches.",
        "The gradients seem to be cleared once an epoch and to pile up in between. Each batch makes a step of its own, "
        "from its own gradients.",
    ),
    Misconception(
        "train-step-every-epoch",
        TRAIN,
        (
            (ZERO, ""),
            (CLIP, ""),
            (STEP, ""),
            (MEAN_KEPT, (CLIP + STEP + ZERO).replace("            ", "        ") + MEAN_KEPT),
        ),
        "One large step where there should be one for every batch.",
        "There seems to be one step for a whole epoch, from all its batches' gradients together. Look at how far the "
        "step is indented.",
    ),
    Misconception(
        "train-zero-grad-before-step",
        TRAIN,
        ((ZERO, ""), (STEP, ZERO + STEP)),
        "No weight ever moves (TRN-08).",
        "The weights seem to stay as they are. Look at what the optimiser still finds when it is told to step.",
    ),
    Misconception(
        "train-no-clipping",
        TRAIN,
        ((CLIP, ""),),
        "Steps after a large gradient are too large.",
        "Clipping seems to have no effect on the steps. Is it there, and does it come at the moment when the gradients "
        "have been computed and not yet been used?",
    ),
    Misconception(
        "train-clip-after-step",
        TRAIN,
        ((CLIP, ""), (STEP, STEP + CLIP)),
        "Clips gradients that have been used already (TRN-09); the same function as no clipping.",
        "Clipping seems to have no effect on the steps. Is it there, and does it come at the moment when the gradients "
        "have been computed and not yet been used?",
        same_as="train-no-clipping",
    ),
    Misconception(
        "train-clip-before-backward",
        TRAIN,
        ((CLIP, ""), (BACKWARD, CLIP + BACKWARD)),
        "Clips gradients that were just cleared (TRN-10); the same function as no clipping.",
        "Clipping seems to have no effect on the steps. Is it there, and does it come at the moment when the gradients "
        "have been computed and not yet been used?",
        same_as="train-no-clipping",
    ),
    Misconception(
        "train-clip-each-tensor",
        TRAIN,
        (
            (
                CLIP,
                "            for weight in model.parameters():\n"
                "                torch.nn.utils.clip_grad_norm_([weight], grad_clip)\n",
            ),
        ),
        "Each norm is within the limit, the total is not, and the direction changes (TRN-11).",
        "Each weight's gradient seems to be clipped on its own. The limit is for all of them together, as if they were "
        "one long vector, so that its direction stays.",
    ),
    Misconception(
        "train-clip-by-value",
        TRAIN,
        ((CLIP, CLIP.replace("clip_grad_norm_", "clip_grad_value_")),),
        "Single entries are clamped, which changes the direction (TRN-12).",
        "Single entries of the gradients seem to be cut off. What is limited here is the length of the whole, and its "
        "direction stays.",
    ),
    Misconception(
        "train-clip-fixed",
        TRAIN,
        ((CLIP, CLIP.replace("grad_clip)", "5.0)")),),
        "Right with the default.",
        "Gradients seem to be clipped to the same norm whatever limit is asked for.",
    ),
    Misconception(
        "train-clip-scales-always",
        TRAIN,
        (
            (
                CLIP,
                "            norm = sum(weight.grad.square().sum() for weight in model.parameters()).sqrt()\n"
                "            for weight in model.parameters():\n"
                "                weight.grad.mul_(grad_clip / norm)\n",
            ),
        ),
        "Small gradients are blown up to the limit (TRN-13).",
        "Gradients below the limit seem to be changed too: all have the same norm before the step. A limit should "
        "leave alone what is within it.",
    ),
    Misconception(
        "train-new-adam-every-epoch",
        TRAIN,
        ((ADAM, ""), (FRESH, FRESH + ADAM.replace("    optimizer", "        optimizer"))),
        "Right in the first epoch; the moments are lost after it (TRN-26).",
        "The first epoch is right and later ones are not, as if the optimiser forgot its past in between. Adam's "
        "averages are part of the run, not of an epoch.",
    ),
    Misconception(
        "train-new-adam-every-batch",
        TRAIN,
        ((ADAM, ""), (ON_DEVICE, ON_DEVICE + ADAM.replace("    optimizer", "            optimizer"))),
        "Every step is a first step: the sign of the gradient.",
        "Every step looks like a first step, as if the optimiser had no past. Adam averages over the batches it has "
        "seen, so it has to live through all of them.",
    ),
    Misconception(
        "train-sgd",
        TRAIN,
        ((ADAM, ADAM.replace("Adam", "SGD")),),
        "Steps proportional to the gradient.",
        "The steps are proportional to the gradients, as in plain gradient descent. The handout asks for another "
        "optimiser.",
    ),
    Misconception(
        "train-weight-decay",
        TRAIN,
        ((ADAM, ADAM.replace("Adam", "AdamW")),),
        "AdamW's default decay shrinks every weight a little.",
        "The weights seem to shrink a little at every step, beside what their gradients ask for. The optimiser of this "
        "course has no decay.",
    ),
    Misconception(
        "train-rate-ignored",
        TRAIN,
        ((ADAM, ADAM.replace(", lr=learning_rate", "")),),
        "Adam's own default of 0.001.",
        "The steps have the same size whatever learning rate is asked for.",
    ),
    Misconception(
        "train-loss-sum",
        TRAIN,
        ((CROSS_ENTROPY, CROSS_ENTROPY.replace("y.flatten()", 'y.flatten(), reduction="sum"')),),
        "B·T times too large (TRN-21).",
        "The loss grows with the size of the batch, as a sum does. A mean can be compared between batches of any size.",
    ),
    Misconception(
        "train-softmax-first",
        TRAIN,
        ((CROSS_ENTROPY, CROSS_ENTROPY.replace("logits.", "logits.softmax(-1).")),),
        "The loss never falls below a floor (TRN-16).",
        "The loss behaves as if a softmax had been taken twice. Look up what cross_entropy expects to be given.",
    ),
    Misconception(
        "train-flattens-apart",
        TRAIN,
        ((CROSS_ENTROPY, CROSS_ENTROPY.replace("logits.", "logits.transpose(0, 1).")),),
        "Logits step by step, targets row by row (TRN-19).",
        "Predictions seem to be compared with the targets of other places. Logits and targets have to be laid out in "
        "the same order before they meet.",
    ),
    Misconception(
        "train-predicts-its-input",
        TRAIN,
        ((CROSS_ENTROPY, CROSS_ENTROPY.replace("y.flatten()", "x.flatten()")),),
        "The model learns to copy (BAT-03's sibling).",
        "The model seems to be asked for the character that it was just shown. A batch brings along what it should be "
        "asked for.",
    ),
    Misconception(
        "train-last-step-only",
        TRAIN,
        ((CROSS_ENTROPY, "F.cross_entropy(logits[:, -1], y[:, -1])"),),
        "As for a classifier of whole sequences; one prediction in T is learned from.",
        "Only the prediction at the end of each row seems to be judged. The model predicts a character at every step, "
        "and all of them count.",
    ),
    Misconception(
        "train-mode-left",
        TRAIN,
        ((TRAINING_MODE, ""),),
        "A model that was just sampled from is trained without dropout (TRN-23).",
        "A model that comes in evaluation mode seems to be trained in it, without its dropout.",
    ),
    Misconception(
        "train-last-batch-loss",
        TRAIN,
        ((MEAN, "batch_losses[-1]"),),
        "The last batch stands for the epoch.",
        "The loss of one batch seems to be returned for the whole epoch. The others should count as well.",
    ),
    Misconception(
        "train-loss-not-averaged",
        TRAIN,
        ((MEAN, "sum(batch_losses)"),),
        "The epoch's loss grows with the length of the text.",
        "The losses of an epoch's batches seem to be added up and left at that.",
    ),
    Misconception(
        "train-losses-of-all-epochs",
        TRAIN,
        (("        batch_losses = []\n", ""), (EPOCHS, "    batch_losses = []\n" + EPOCHS)),
        "The mean of everything so far: right in the first epoch, slow to fall after it.",
        "The first epoch's loss is right, and later ones look like the mean over all epochs so far. Where does an "
        "epoch's list of losses begin?",
    ),
    Misconception(
        "train-every-batch-loss",
        TRAIN,
        ((MEAN_KEPT, "        losses += batch_losses\n"),),
        "A list with an entry for every batch.",
        "There seems to be a loss for every batch in the result. One for each epoch was promised, the mean of its "
        "batches'.",
    ),
    Misconception(
        "train-loss-tensors",
        TRAIN,
        (("loss.item()", "loss"),),
        "The log keeps every graph alive (TRN-25).",
        "Tensors come back where numbers were promised. A loss that is only looked at need not keep its graph alive.",
    ),
    Misconception(
        "train-perplexity",
        TRAIN,
        ((MEAN, "torch.tensor(sum(batch_losses) / len(batch_losses)).exp().item()"),),
        "exp of the mean loss.",
        "The numbers look like perplexities, the exponentials of what was asked for.",
    ),
    Misconception(
        "train-epoch-from-one",
        TRAIN,
        (("on_epoch(epoch, losses[-1])", "on_epoch(epoch + 1, losses[-1])"),),
        "People count from 1, on_epoch does not.",
        "on_epoch seems to be told epochs that are one too high. The handout says where its count starts.",
    ),
    Misconception(
        "train-on-epoch-late",
        TRAIN,
        (
            (CALL_BACK, ""),
            (
                "    return losses\n",
                "    for epoch, loss in enumerate(losses):\n        if on_epoch is not None:\n"
                "            on_epoch(epoch, loss)\n    return losses\n",
            ),
        ),
        "All calls come after the last epoch: nothing to watch meanwhile.",
        "on_epoch seems to hear of everything at the very end. It is there to let someone watch while training runs.",
    ),
    Misconception(
        "train-on-epoch-last-batch",
        TRAIN,
        (("on_epoch(epoch, losses[-1])", "on_epoch(epoch, loss.item())"),),
        "The epoch's last loss in place of its mean.",
        "on_epoch seems to be told the loss of one batch. It should hear the number that is returned for the epoch.",
    ),
    Misconception(
        "train-on-epoch-swapped",
        TRAIN,
        (("on_epoch(epoch, losses[-1])", "on_epoch(losses[-1], epoch)"),),
        "The loss first.",
        "on_epoch seems to be handed its two arguments in the other order.",
    ),
    Misconception(
        "train-on-epoch-never",
        TRAIN,
        ((CALL_BACK, ""),),
        "A parameter that nothing reads.",
        "on_epoch seems never to be called. Someone who passes it wants to hear how each epoch went.",
    ),
    Misconception(
        "train-one-epoch-too-many",
        TRAIN,
        ((EPOCHS, EPOCHS.replace("num_epochs", "num_epochs + 1")),),
        "Counts to num_epochs and includes it.",
        "There seems to be one epoch more than was asked for, as if both ends of the count belonged to it.",
    ),
    Misconception(
        "train-returns-early",
        TRAIN,
        ((RETURN, "    " + RETURN),),
        "The return stands in the loop: one epoch, however many are asked for.",
        "Training seems to be over after its first epoch. Look at how far the return is indented.",
    ),
    Misconception(
        "train-copy",
        TRAIN,
        ((IMPORT, "import copy\n\n" + IMPORT), (TO_DEVICE, "    model = copy.deepcopy(model).to(device)\n")),
        "The losses are right, the caller's model is as it was.",
        "The losses are those of a model that learns, but the one that was passed in has not changed. Whoever called "
        "train has no other.",
    ),
    Misconception(
        "train-batches-made-once",
        TRAIN,
        ((EPOCHS, f"    batches = {BATCHES}\n{EPOCHS}"), (f"for x, y in {BATCHES}", "for x, y in batches")),
        "A generator is empty after the first epoch: division by zero (BAT-17).",
        "The second epoch seems to find no batches. What a generator yields can be walked through once.",
    ),
    Misconception(
        "train-sizes-swapped",
        TRAIN,
        ((BATCHES, "create_batches(data, seq_len, batch_size)"),),
        "Rows and columns change places.",
        "The batches seem to have batch_size columns and seq_len rows. Compare the order in which create_batches takes "
        "its sizes.",
    ),
    Misconception(
        "train-loss-after-step",
        TRAIN,
        (
            (
                "            logits, states = model(x, states)\n",
                "            before = states\n            logits, states = model(x, states)\n",
            ),
            (
                "batch_losses.append(loss.item())",
                "with torch.no_grad():\n"
                "                logits, _ = model(x, before)\n"
                f"            batch_losses.append({CROSS_ENTROPY}.item())",
            ),
        ),
        "A little lower than the loss that was trained on, and twice the work.",
        "The losses seem to be taken after the step, on a batch the model has just learned from. The loss that the "
        "gradients come from is at hand already, and more honest.",
    ),
    Misconception(
        "train-model-stays",
        TRAIN,
        ((TO_DEVICE, ""),),
        "“Expected all tensors to be on the same device”, on a machine with a GPU (TRN-28's sibling).",
        "The model seems to stay where it is, whatever device is asked for. On a GPU its batches would then be out of "
        "its reach.",
    ),
    Misconception(
        "train-batches-stay",
        TRAIN,
        ((ON_DEVICE, ""),),
        "“Expected all tensors to be on the same device”, on a machine with a GPU (TRN-28).",
        "The batches seem to stay where the text is, whatever device is asked for. On a GPU the model could not read "
        "them.",
    ),
    Misconception(
        "train-targets-stay",
        TRAIN,
        ((ON_DEVICE, "            x = x.to(device)\n"),),
        "“Expected all tensors to be on the same device”, on a machine with a GPU, from the loss.",
        "The inputs seem to go to the device and their targets to stay behind. On a GPU the loss could not compare "
        "predictions with them.",
    ),
    Misconception(
        "train-device-ignored",
        TRAIN,
        ((TO_DEVICE, ""), (ON_DEVICE, "")),
        "Everything stays on the CPU: no error, and on a machine with a GPU no speed.",
        "Neither the model nor the batches seem to go to the device that is asked for. It all runs, but not there.",
    ),
)
