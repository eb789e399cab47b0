# SPDX-License-Identifier: Apache-2.0
"""Writes metrics.json: small cases with the values that scikit-learn and statsmodels' definitions (through SciPy) give for them.

    python tests/golden/metrics.py            # with scikit-learn 1.9.1 and SciPy 1.17.1

Probabilities are summed in order with the C library's exp, as Imago does, so that ties stay ties.
"""

import json
import math
import warnings
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn import metrics as sk

BINS = 15


def softmax(row, temperature):
    most = max(row)
    powers = [math.exp((value - most) / temperature) for value in row]
    total = 0.0
    for power in powers:
        total += power
    return [power / total for power in powers]


def calibration(probabilities, truth):
    """Guo et al. 2017, equations 3 and 5, bins closed on the right."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bin_of = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = [(np.sum(bin_of == b), abs(right[bin_of == b].mean() - confidence[bin_of == b].mean())) for b in range(BINS) if np.any(bin_of == b)]
    return sum(n * gap for n, gap in gaps) / len(truth), max(gap for _, gap in gaps)


def averages(truth, predicted, classes, kind):
    values = sk.precision_recall_fscore_support(truth, predicted, labels=range(classes), average=kind, zero_division=0)
    return dict(zip(("precision", "recall", "f1"), map(float, values[:3])))


def one_against_rest(truth, scores):
    positive = truth[:, None] == np.arange(scores.shape[1])
    auc = [float(sk.roc_auc_score(p, s)) if 0 < p.sum() < len(p) else None for p, s in zip(positive.T, scores.T)]
    precision = [float(sk.average_precision_score(p, s)) if p.any() else None for p, s in zip(positive.T, scores.T)]
    return auc, precision


def mean(values):
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else None


def case(name, logits, labels, temperature=1.0):
    logits = np.asarray(logits, dtype=np.float32)
    truth, classes = np.asarray(labels), logits.shape[1]
    scores = np.array([softmax(map_row, temperature) for map_row in logits.astype(float).tolist()])
    predicted = logits.argmax(axis=1)
    every = list(range(classes))
    auc, precision = one_against_rest(truth, scores)
    ece, mce = calibration(scores, truth)
    top = {} if classes < 3 else {str(k): float(sk.top_k_accuracy_score(truth, logits, k=k, labels=every)) for k in (2, 3, 5) if k < classes}
    return {
        "name": name,
        "classes": classes,
        "temperature": temperature,
        "logits": [float(value) for value in logits.ravel()],
        "labels": truth.tolist(),
        "expected": {
            "accuracy": float(sk.accuracy_score(truth, predicted)),
            "top_k": top,
            "macro": averages(truth, predicted, classes, "macro"),
            "micro": averages(truth, predicted, classes, "micro"),
            "weighted": averages(truth, predicted, classes, "weighted"),
            "balanced_accuracy": float(sk.balanced_accuracy_score(truth, predicted)),
            "matthews": float(sk.matthews_corrcoef(truth, predicted)),
            "log_loss": float(sk.log_loss(truth, scores, labels=every)),
            "brier": float(sk.brier_score_loss(truth, scores, labels=every) if classes > 2 else sk.brier_score_loss(truth, scores[:, 1], labels=every, pos_label=1)),
            "roc_auc": auc,
            "average_precision": precision,
            "macro_roc_auc": mean(auc),
            "macro_average_precision": mean(precision),
            "confusion": sk.confusion_matrix(truth, predicted, labels=every).tolist(),
            "expected_calibration_error": float(ece),
            "largest_calibration_error": float(mce),
        },
    }


def cases():
    rng = np.random.default_rng(7)

    def skilled(labels, classes, skill, spread):
        return (rng.normal(size=(len(labels), classes)) + skill * np.eye(classes)[labels]) * spread

    labels = rng.integers(0, 7, 120)
    yield case("random", skilled(labels, 7, 1.5, 1.5), labels)
    yield case("random, softened", skilled(labels, 7, 1.5, 3.0), labels, 2.5)
    labels = rng.integers(0, 4, 90)
    yield case("tied", np.round(skilled(labels, 4, 1.0, 1.0)), labels)
    yield case("all alike", np.zeros((20, 3)), rng.integers(0, 3, 20))
    labels = rng.choice([0, 1, 4], 60)
    yield case("absent classes", skilled(labels, 5, 1.0, 1.0), labels)
    never = skilled(labels, 5, 2.0, 1.0)
    never[:, 1] = -50
    yield case("a class that is never said", never, labels)
    yield case("a single class", skilled(np.full(25, 2), 4, 1.0, 1.0), np.full(25, 2))
    yield case("a single class, always said", np.tile([0.0, 3.0, 1.0], (10, 1)), np.full(10, 1))
    labels = rng.integers(0, 2, 80)
    yield case("two classes", skilled(labels, 2, 1.0, 2.0), labels)
    yield case("two classes, tied", np.round(skilled(labels, 2, 0.5, 1.0)), labels)
    labels = rng.integers(0, 3, 30)
    yield case("certain, and sometimes wrong", skilled(labels, 3, 1.0, 400.0), labels)
    yield case("one image", [[0.25, 1.5, -2.0]], [0])


def mcnemar(broken, fixed):
    """As statsmodels.stats.contingency_tables.mcnemar, exact=True and exact=False, correction=True."""
    n, fewer = broken + fixed, min(broken, fixed)
    statistic = (abs(broken - fixed) - 1) ** 2 / n
    return {"broken": broken, "fixed": fixed, "p_exact": min(1.0, float(stats.binom.cdf(fewer, n, 0.5)) * 2),
            "statistic": statistic, "p_chi_square": float(stats.chi2.sf(statistic, 1))}


def difference(both, broken, fixed, neither):
    values = np.repeat([0, -1, 1, 0], [both, broken, fixed, neither])
    found = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20000, rng=np.random.default_rng(1)).confidence_interval
    return {"both": both, "broken": broken, "fixed": fixed, "neither": neither, "low": float(found.low), "high": float(found.high)}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    pairs = [(0, 1), (1, 0), (2, 8), (25, 25), (121, 59), (10, 40), (300, 420), (2000, 1900), (0, 40)]
    golden = {"cases": list(cases()), "mcnemar": [mcnemar(*pair) for pair in pairs],
              "bootstrap": [difference(700, 40, 90, 170), difference(90, 3, 2, 5), difference(50, 0, 9, 41)]}
    text = json.dumps(golden, separators=(",", ":")).replace('{"name"', '\n{"name"').replace('{"broken"', '\n{"broken"').replace('{"both"', '\n{"both"')
    Path(__file__).with_suffix(".json").write_text(text + "\n")
