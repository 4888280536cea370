#!/usr/bin/env python3
"""Checks every figure of `pipeline eval` against scikit-learn, SciPy and NumPy, from the maps and masks as files.

    pipeline eval DATASET --save-maps --protocol all --out OUT …
    python3 Tests/Parity/evaluation.py DATASET OUT [ROW:PROTOCOL …]

DATASET is a folder of images (Tp, Au) and masks (Gt, above 127). Rows and protocols may be limited by patterns such as
`classifier:*`, because scikit-learn takes its time. Needs numpy, scipy, scikit-learn and opencv-python. Exits
with 1 when a figure is further than 1e-6 from this computation.
"""
import fnmatch
import json
import os
import sys
import warnings

import cv2
import numpy as np
from scipy.ndimage import maximum_filter, minimum_filter
from sklearn import metrics

warnings.filterwarnings("ignore")
TOP, BINS, TOLERANCE = 65535, 4096, 1e-6


def bilinear(values, size):
    """Half-pixel centres, no antialiasing."""
    for axis in (0, 1):
        n = values.shape[axis]
        place = np.clip((np.arange(size) + .5) * n / size - .5, 0, n - 1)
        low = np.floor(place).astype(int)
        high, share = np.minimum(low + 1, n - 1), place - low
        share = share[:, None] if axis == 0 else share[None, :]
        values = np.take(values, low, axis) * (1 - share) + np.take(values, high, axis) * share
    return values


def prepared(protocol, levels, mask):
    """Levels and truth of the scored pixels."""
    if protocol == "benco":
        rows, columns = ((2 * np.arange(512) + 1) * n // 1024 for n in mask.shape)
        levels = np.floor(bilinear(levels.astype(float), 512) + .5).astype(np.int64)
        return levels.ravel(), mask[np.ix_(rows, columns)].ravel()
    if protocol == "trufor":
        inner, outer = minimum_filter(mask, 15), maximum_filter(mask, 11)
        kept = inner | ~outer
        return levels[kept].astype(np.int64), inner[kept]
    return levels.ravel().astype(np.int64), mask.ravel()


def best_f1(truth, score):
    precision, recall, _ = metrics.precision_recall_curve(truth, score)
    return np.max(2 * precision * recall / np.maximum(precision + recall, 1e-300))


def figures(protocol, levels, truth, threshold):
    """All pixel figures of non-empty truth; scikit-learn does the work."""
    strict, score = protocol in ("benco", "trufor", "mvss"), levels / TOP
    def reached(v):
        return v > threshold if strict else v >= threshold
    marked, opposite = reached(score), reached((TOP - levels) / TOP)
    def f1(a):
        return metrics.f1_score(truth, a)
    result = dict(f1=f1(marked), permutedF1=max(f1(marked), f1(opposite)), bestF1=best_f1(truth, score),
                  iou=metrics.jaccard_score(truth, marked), mcc=metrics.matthews_corrcoef(truth, marked),
                  ap=metrics.average_precision_score(truth, score))
    if not truth.all():
        result["auc"] = metrics.roc_auc_score(truth, score)
    if protocol == "trufor":
        result["f1"] = result["permutedF1"] = max(f1(marked), f1(~marked))
        result["iou"] = max(result["iou"], metrics.jaccard_score(truth, ~marked))
        result["mcc"] = abs(result["mcc"])
        result["bestF1"] = max(result["bestF1"], best_f1(truth, -score))
        result["ap"] = max(result["ap"], metrics.average_precision_score(truth, -score))
        if "auc" in result:
            result["auc"] = max(result["auc"], 1 - result["auc"])
    return result


def image_figures(protocol, levels, truth, tampered, threshold):
    """One image's figures; none when it has no part in the means."""
    if truth.any():
        return figures(protocol, levels, truth, threshold)
    marked = bool((levels / TOP > threshold).any())
    if protocol == "benco":
        return dict.fromkeys(("f1", "bestF1", "permutedF1", "iou", "mcc", "auc", "ap"), 0.)
    if protocol == "mvss" and tampered:
        return dict(f1=float(not marked), iou=float(not marked))
    if protocol == "trufor" and tampered:
        return dict(bestF1=0., f1=0., permutedF1=0.) if marked else dict(bestF1=0.)
    return {}


class Draws:
    """Resamples by SplitMix64."""
    cache = {}

    def __init__(self, bootstrap):
        self.count, self.seed = bootstrap["count"], bootstrap["seed"]
        self.tails = [50 * (1 - bootstrap["confidence"]), 50 * (1 + bootstrap["confidence"])]

    def weights(self, n):
        if n not in self.cache:
            state, wanted = self.seed, self.count * n
            states = (np.arange(1, wanted + 1, dtype=np.uint64) * np.uint64(0x9e3779b97f4a7c15)) + np.uint64(state)
            z = (states ^ states >> np.uint64(30)) * np.uint64(0xbf58476d1ce4e5b9)
            z = (z ^ z >> np.uint64(27)) * np.uint64(0x94d049bb133111eb)
            z ^= z >> np.uint64(31)
            # The high half of the product with n < 2^32, in two steps.
            low, high = z & np.uint64(0xffffffff), z >> np.uint64(32)
            index = (high * np.uint64(n) + (low * np.uint64(n) >> np.uint64(32))) >> np.uint64(32)
            index = index.reshape(self.count, n).astype(int)
            self.cache[n] = np.stack([np.bincount(i, minlength=n) for i in index]) if n else np.zeros((0, 0))
        return self.cache[n]

    def interval(self, values):
        values = [v for v in values if v is not None]
        return np.percentile(values, self.tails) if values else None

    def mean(self, values):
        return np.mean(values), self.interval(list(self.weights(len(values)) @ np.asarray(values) / len(values)))


def rank_figures(positives, negatives):
    """AUC, AP and best F1 of histograms by rising rank."""
    p, n = positives.sum(), negatives.sum()
    auc = (positives * (np.cumsum(negatives) - negatives / 2)).sum() / p / n
    tp, every = np.cumsum(positives[::-1]), np.cumsum((positives + negatives)[::-1])
    some = every > 0
    ap = (positives[::-1] * tp / np.maximum(every, 1))[some].sum() / p
    best = np.max((2 * tp / (every + p))[(positives + negatives)[::-1] > 0])
    return dict(auc=auc, ap=ap, bestF1=best)


def confusion_figures(tp, fp, fn, tn):
    f1 = 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.
    iou = tp / (tp + fp + fn) if tp + fp + fn else 0.
    scale = np.sqrt((tp + fp) * (tn + fn)) * np.sqrt((tp + fn) * (tn + fp))
    return dict(f1=f1, iou=iou, mcc=(tp * tn - fp * fn) / scale if scale else 0.)


def pooled(protocol, scored, threshold, draws):
    """Figures of all scored images' pixels together, and their intervals."""
    levels, truth = (np.concatenate([s[i] for s in scored]) for i in (0, 1))
    values = figures(protocol, levels, truth, threshold)
    histogram = np.bincount(levels, minlength=TOP + 1)
    below = np.concatenate([[0], np.cumsum(histogram)[:-1]])
    bins = np.minimum(BINS * below // histogram.sum(), BINS - 1)
    positives = np.stack([np.bincount(bins[a[t]], minlength=BINS) for a, t in scored]).astype(float)
    negatives = np.stack([np.bincount(bins[a[~t]], minlength=BINS) for a, t in scored]).astype(float)
    strict = protocol in ("benco", "trufor", "mvss")

    def confusion(scores, t):
        marked = scores > threshold if strict else scores >= threshold
        return [(marked & t).sum(), (marked & ~t).sum(), (~marked & t).sum(), (~marked & ~t).sum()]
    direct = np.array([confusion(a / TOP, t) for a, t in scored], float)
    opposite = np.array([confusion((TOP - a) / TOP, t) for a, t in scored], float)
    collected = {key: [] for key in values}
    for weights in draws.weights(len(scored)):
        p, n = weights @ positives, weights @ negatives
        one, other = confusion_figures(*(weights @ direct)), confusion_figures(*(weights @ opposite))
        sample = {**one, "permutedF1": max(one["f1"], other["f1"])}
        if p.sum() and n.sum():
            sample.update(rank_figures(p, n))
        if protocol == "trufor":
            tp, fp, fn, tn = weights @ direct
            mirrored = confusion_figures(fn, tn, tp, fp)
            sample.update(f1=max(one["f1"], mirrored["f1"]), iou=max(one["iou"], mirrored["iou"]), mcc=abs(one["mcc"]))
            sample["permutedF1"] = sample["f1"]
            reverse = rank_figures(p[::-1], n[::-1])
            sample.update({k: max(sample[k], reverse[k]) for k in reverse})
        for key in collected:
            collected[key].append(sample.get(key))
    return {key: (value, draws.interval(collected[key])) for key, value in values.items()}


def detection(protocol, scores, labels, f1s, threshold, draws):
    strict = protocol in ("benco", "trufor", "mvss")

    def all_of(index):
        score, label = scores[index], labels[index]
        if label.all() or not label.any():
            return {}
        marked = score > threshold if strict else score >= threshold
        result = dict(auc=metrics.roc_auc_score(label, score),
                      balancedAccuracy=metrics.balanced_accuracy_score(label, marked), f1=metrics.f1_score(label, marked))
        if protocol == "mvss":
            sensitivity, specificity = marked[label].mean(), (~marked)[~label].mean()
            def harmonic(a, b):
                return 2 * a * b / (a + b) if a + b else 0.
            result["f1"] = harmonic(sensitivity, specificity)
            pixels = [f1s[i] for i in index if f1s[i] is not None]
            if pixels:
                result["combinedF1"] = harmonic(np.mean(pixels), result["f1"])
        return result
    values = all_of(np.arange(len(scores)))
    samples = [all_of(np.repeat(np.arange(len(scores)), w)) for w in draws.weights(len(scores))] if values else []
    return {key: (value, draws.interval([s.get(key) for s in samples])) for key, value in values.items()}


class Comparison:
    def __init__(self):
        self.worst, self.count, self.failures = 0., 0, []

    def close(self, where, found, wanted):
        self.count += 1
        error = abs(found - wanted)
        self.worst = max(self.worst, error)
        if not error <= TOLERANCE:
            self.failures.append(f"{where}: {found}, here {wanted}")

    def estimates(self, where, found, wanted):
        if set(found) != set(wanted):
            self.failures.append(f"{where}: figures {sorted(found)}, here {sorted(wanted)}")
        for key in set(found) & set(wanted):
            value, interval = wanted[key]
            self.close(f"{where} {key}", found[key]["value"], value)
            if interval is not None and "interval" in found[key]:
                self.close(f"{where} {key} low", found[key]["interval"]["low"], interval[0])
                self.close(f"{where} {key} high", found[key]["interval"]["high"], interval[1])


def main(dataset, out, *patterns):
    with open(f"{out}/summary.json") as file:
        summary = json.load(file)
    with open(f"{out}/images.jsonl") as file:
        described = [json.loads(line) for line in file]
    parameters = summary["parameters"]
    threshold, image_threshold = parameters["pixelThreshold"], parameters["imageThreshold"]
    draws, comparison = Draws(parameters["bootstrap"]), Comparison()
    names = {os.path.splitext(f)[0].removesuffix("_gt"): f for f in os.listdir(f"{dataset}/Gt")}
    for summarised in summary["rows"]:
        row, protocol = summarised["row"], summarised["scoring"]
        where, counts = f"{row['id']}:{protocol}", summarised["counts"]
        if patterns and not any(fnmatch.fnmatch(where, pattern) for pattern in patterns):
            continue
        images, scored, f1s, scores, labels, empty, any_f1 = [], [], [], [], [], [], []
        for image in described:
            entry = next((r for r in image["rows"] if r["row"] == row["id"] and r["scoring"] == protocol), None)
            if entry is None:
                continue
            levels = cv2.imread(f"{out}/maps/{row['id']}/{image['file']}", cv2.IMREAD_UNCHANGED)
            tampered = image["name"].startswith("Tp/")
            mask = np.zeros(levels.shape, bool)
            if tampered:
                stem = os.path.splitext(os.path.basename(image["name"]))[0]
                mask = cv2.imread(f"{dataset}/Gt/{names[stem]}", cv2.IMREAD_GRAYSCALE) > 127
            found = image["probability"] >= image_threshold
            prepared_levels, truth = prepared(protocol, levels, mask)
            own = {} if protocol == "paper" and not found else image_figures(
                protocol, prepared_levels, truth, tampered, threshold)
            if set(own) != set(entry["figures"]):
                comparison.failures.append(f"{where} {image['name']}: {sorted(entry['figures'])}, here {sorted(own)}")
            for key in set(own) & set(entry["figures"]):
                comparison.close(f"{where} {image['name']} {key}", entry["figures"][key], own[key])
            if own:
                images.append(own)
                scored.append((prepared_levels, truth))
            f1s.append(own.get("f1"))
            by_maximum = protocol == "mvss" or row["kind"] == "external"
            scores.append(levels.max() / TOP if by_maximum else entry["score"])
            labels.append(tampered)
            strict = protocol in ("benco", "trufor", "mvss")
            marked = prepared_levels / TOP > threshold if strict else prepared_levels / TOP >= threshold
            if not mask.any():
                empty.append((marked.mean(), levels.max() / TOP))
            any_f1.append(metrics.f1_score(truth, marked) if truth.any() else float(not marked.any()))
        comparison.close(f"{where} scored", counts["scored"], len(images))
        comparison.close(f"{where} empty", counts["emptyMask"], len(empty))
        means = {}
        for key in sorted({k for image in images for k in image}):
            means[key] = draws.mean([image[key] for image in images if key in image])
        comparison.estimates(f"{where} mean", summarised["mean"], means)
        if images:
            comparison.estimates(f"{where} pooled", summarised["pooled"], pooled(protocol, scored, threshold, draws))
        comparison.estimates(f"{where} image", summarised["detection"], detection(
            protocol, np.array(scores), np.array(labels), f1s, image_threshold, draws))
        comparison.estimates(f"{where} authentic", summarised["falsePositives"], dict(zip(
            ("area", "maximum"), (draws.mean(list(values)) for values in zip(*empty)))))
        if protocol == "mvss":
            comparison.estimates(f"{where} all", {"f1": summarised["f1OfAllImages"]}, {"f1": draws.mean(any_f1)})
        print(f"{where}: {comparison.count} numbers so far, largest difference {comparison.worst:.1e}", flush=True)
    for failure in comparison.failures[:40]:
        print(failure)
    print(f"{comparison.count} numbers, largest difference {comparison.worst:.1e}, {len(comparison.failures)} failures")
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
