// SPDX-License-Identifier: Apache-2.0
// An answer's probabilities, put in order.
import type { Prediction } from '../api/server';

export interface Ranked {
  label: string;
  probability: number;
  /** 0 is the most probable. */
  rank: number;
}

/** Every class of the answer, in class order where `labels` gives one, with its rank. Ties keep their order. */
export function rankClasses(answer: Prediction, labels: string[] | undefined): Ranked[] {
  const names = labels?.length === answer.probabilities.length ? labels : Object.keys(answer.class_probabilities);
  const rows = names.map((label, i) => ({
    label,
    probability: answer.class_probabilities[label] ?? answer.probabilities[i] ?? 0,
    rank: 0,
  }));
  byProbability(rows).forEach((row, rank) => (row.rank = rank));
  return rows;
}

export function byProbability(rows: Ranked[]): Ranked[] {
  return [...rows].sort((a, b) => b.probability - a.probability);
}
