#!/usr/bin/env python3
"""Reference values for the tests of the evaluation, from scikit-learn, SciPy, NumPy and OpenCV.

    python3 -m venv venv && venv/bin/pip install numpy scipy scikit-learn opencv-python-headless
    venv/bin/python Tests/Fixtures/evaluation.py

Writes evaluation.json beside itself.
"""
import json, os, warnings
import cv2, numpy as np
from scipy.ndimage import maximum_filter, minimum_filter
from sklearn import metrics

warnings.filterwarnings("ignore")
rng = np.random.default_rng(7)
TOP = 65535


def best_f1(truth, score):
    precision, recall, _ = metrics.precision_recall_curve(truth, score)
    return float(np.max(2 * precision * recall / np.maximum(precision + recall, 1e-300)))


def pixel_case(name, levels, truth, threshold=.5, strict=False):
    levels, truth = np.asarray(levels, np.int64).ravel(), np.asarray(truth, np.int64).ravel()
    score = levels / TOP
    marked = score > threshold if strict else score >= threshold
    inverse = (TOP - levels) / TOP
    inverse_marked = inverse > threshold if strict else inverse >= threshold
    case = dict(name=name, levels=levels.tolist(), truth="".join(map(str, truth)), threshold=threshold, strict=strict)
    if truth.any():
        f1 = float(metrics.f1_score(truth, marked))
        case["figures"] = dict(
            f1=f1, permutedF1=max(f1, float(metrics.f1_score(truth, inverse_marked))), bestF1=best_f1(truth, score),
            iou=float(metrics.jaccard_score(truth, marked)), mcc=float(metrics.matthews_corrcoef(truth, marked)),
            ap=float(metrics.average_precision_score(truth, score)))
        if not truth.all():
            case["figures"]["auc"] = float(metrics.roc_auc_score(truth, score))
    else:
        case["figures"] = {}
    case["area"] = float(np.mean(marked))
    return case


def pixel_cases():
    def noisy(count, share, levels):
        truth = (rng.random(count) < share).astype(int)
        values = np.clip(rng.normal(.4 + .2 * truth, .2), 0, 1)
        return np.round(np.round(values * (levels - 1)) / (levels - 1) * TOP).astype(int), truth

    yield pixel_case("every level its own", *noisy(900, .2, 65536))
    yield pixel_case("many ties", *noisy(900, .2, 12))
    yield pixel_case("two levels", *noisy(600, .3, 2))
    yield pixel_case("few manipulated", *noisy(800, .01, 256))
    levels, truth = noisy(700, .3, 256)
    yield pixel_case("worse than chance", TOP - levels, truth)
    yield pixel_case("another threshold", levels, truth, .7)
    yield pixel_case("a threshold that occurs", np.round(levels / 257) * 257, truth, 153 / 255)
    yield pixel_case("a strict threshold that occurs", np.round(levels / 257) * 257, truth, 153 / 255, True)
    yield pixel_case("threshold 0", levels, truth, 0.)
    yield pixel_case("threshold 1", levels, truth, 1.)
    yield pixel_case("perfect", truth * TOP, truth)
    yield pixel_case("inverted", (1 - truth) * TOP, truth)
    yield pixel_case("constant and marked", np.full(50, TOP), truth[:50])
    yield pixel_case("constant and unmarked", np.zeros(50), truth[:50])
    yield pixel_case("either side of a half", [32767, 32768, 32767, 32768], [0, 1, 1, 0])
    yield pixel_case("all manipulated", levels[:40], np.ones(40))
    yield pixel_case("nothing manipulated", levels[:40], np.zeros(40))
    yield pixel_case("one pixel", [40000], [1])
    yield pixel_case("one of each", [10, 10], [0, 1])


def image_cases():
    for name, scores, labels in [
            ("random", rng.random(60), rng.random(60) < .5),
            ("ties", np.round(rng.random(60) * 6) / 6, rng.random(60) < .4),
            ("constant", np.full(9, .5), np.arange(9) % 2 == 0),
            ("perfect", np.array([.1, .2, .8, .9]), np.array([0, 0, 1, 1]))]:
        labels = labels.astype(int)
        marked = scores >= .5
        yield dict(name=name, scores=scores.tolist(), labels=labels.tolist(),
                   auc=float(metrics.roc_auc_score(labels, scores)), f1=float(metrics.f1_score(labels, marked)),
                   balanced=float(metrics.balanced_accuracy_score(labels, marked)),
                   accuracy=float(metrics.accuracy_score(labels, marked)))


def band_cases():
    """0 authentic, 1 manipulated, 2 ignored."""
    masks = []
    for height, width, density in [(40, 33, .0), (25, 60, .0), (9, 7, .2), (1, 30, .0)]:
        mask = rng.random((height, width)) < density
        mask[height // 4:height - height // 5, width // 3:] = True
        masks.append(mask)
    masks += [np.zeros((20, 20), bool), np.ones((20, 20), bool), np.pad(np.ones((6, 6), bool), 8)]
    for mask in masks:
        inner, outer = minimum_filter(mask, 15), maximum_filter(mask, 11)
        classes = np.where(inner, 1, np.where(outer, 2, 0))
        yield dict(width=mask.shape[1], height=mask.shape[0], mask="".join(map(str, mask.astype(int).ravel())),
                   classes="".join(map(str, classes.ravel())))


def better_of_inverse():
    """Best F1 of the map or its inverse, and F1 at a strict half of either, as TruFor's paper defines them."""
    truth = (rng.random(500) < .3).astype(int)
    levels = np.round(np.clip(rng.normal(.55 - .15 * truth, .2), 0, 1) * 255).astype(int) * 257
    score, marked = levels / TOP, levels / TOP > .5
    return dict(levels=levels.tolist(), truth="".join(map(str, truth)),
                f1=float(max(metrics.f1_score(truth, marked), metrics.f1_score(truth, ~marked))),
                bestF1=max(best_f1(truth, score), best_f1(truth, -score)),
                auc=float(max(metrics.roc_auc_score(truth, score), metrics.roc_auc_score(truth, -score))),
                ap=float(max(metrics.average_precision_score(truth, score), metrics.average_precision_score(truth, -score))),
                mcc=float(abs(metrics.matthews_corrcoef(truth, marked))))


def resized():
    """Maps of levels in other sizes, by OpenCV in double precision."""
    levels = rng.integers(0, TOP + 1, (7, 11))
    results = {}
    for width, height in ((16, 16), (5, 4), (11, 9), (32, 7)):
        big = cv2.resize(levels.astype(np.float64), (width, height), interpolation=cv2.INTER_LINEAR)
        results[f"{width}x{height}"] = np.floor(big + .5).astype(int).ravel().tolist()
    return dict(width=11, height=7, levels=levels.ravel().tolist(), results=results)


def blurs():
    image = rng.integers(0, 256, (9, 14, 3), dtype=np.uint8)
    # In floating point: OpenCV's own 8-bit path rounds the kernel to multiples of 1/256.
    return dict(width=14, height=9, rgb=image.ravel().tolist(), results={
        str(size): np.floor(cv2.GaussianBlur(image.astype(np.float64), (size, size), 0) + .5).astype(int).ravel().tolist()
        for size in (3, 7, 23)})


def split_mix(seed):
    state = seed
    while True:
        state = (state + 0x9e3779b97f4a7c15) % 2**64
        z = ((state ^ state >> 30) * 0xbf58476d1ce4e5b9) % 2**64
        z = ((z ^ z >> 27) * 0x94d049bb133111eb) % 2**64
        yield z ^ z >> 31


def bootstrap():
    values = rng.random(17)
    numbers, means = split_mix(5), []
    for _ in range(200):
        means.append(np.mean([values[next(numbers) * len(values) >> 64] for _ in values]))
    low, high = np.percentile(means, [2.5, 97.5])
    return dict(values=values.tolist(), seed=5, count=200, low=float(low), high=float(high))


document = dict(pixels=list(pixel_cases()), images=list(image_cases()), bands=list(band_cases()),
                better=better_of_inverse(), blur=blurs(), bootstrap=bootstrap(), resized=resized())
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "evaluation.json"), "w") as file:
    json.dump(document, file, separators=(",", ":"))
