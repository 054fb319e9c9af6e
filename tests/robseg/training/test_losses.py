import numpy as np
import pytest
import torch

from robseg.training.losses import class_weights, cross_entropy, pixel_counts


def test_pixel_counts_leave_ignored_pixels_out():
    targets = [np.array([[0, 0, 255]], np.uint8), np.array([[2, 255, 255]], np.uint8)]
    assert pixel_counts(targets, 3).tolist() == [[2, 0, 0], [0, 0, 1]]


def test_cross_entropy_equals_the_definition():
    logits = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    targets = torch.randint(0, 3, (2, 4, 5), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    targets[0, 0] = 255
    weights = torch.tensor([1.0, 2.0, 5.0])
    total, weight = 0.0, 0.0
    for n, y, x in np.argwhere(targets.numpy() != 255):
        label = int(targets[n, y, x])
        total -= float(weights[label] * logits[n, :, y, x].log_softmax(0)[label])
        weight += float(weights[label])
    assert float(cross_entropy(logits, targets, weights)) == pytest.approx(total / weight, rel=1e-5)


def test_small_logits_are_resized_to_the_target():
    logits = torch.zeros(1, 2, 2, 2)
    targets = torch.zeros(1, 8, 8, dtype=torch.uint8)
    assert float(cross_entropy(logits, targets, torch.ones(2))) == pytest.approx(np.log(2))


def test_a_batch_without_labelled_pixels_has_loss_zero():
    logits = torch.randn(1, 2, 4, 4, requires_grad=True)
    loss = cross_entropy(logits, torch.full((1, 4, 4), 255, dtype=torch.uint8), torch.ones(2))
    loss.backward()
    assert float(loss.detach()) == 0
    assert float(logits.grad.abs().sum()) == 0


@pytest.mark.parametrize("kind", ["enet", "median"])
def test_rarer_classes_weigh_more(kind):
    weights = class_weights(kind, np.array([[70, 25, 5]])).tolist()
    assert weights == sorted(weights)
    assert weights[0] < weights[2]


def test_no_class_weights_are_ones():
    assert class_weights("none", np.array([[70, 25, 5]])).tolist() == [1, 1, 1]
