// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Prediction } from '../api/server';
import { byProbability, rankClasses } from './ranking';

const answer: Prediction = {
  prediction: '7',
  confidence: 0.6,
  probabilities: [0.3, 0.6, 0.1],
  class_probabilities: { '7': 0.6, cat: 0.3, '3': 0.1 },
  latency_seconds: 0.001,
  model: 'm',
  model_version: 1,
  request_id: 'r',
};

test('rows keep class order, which a map with number-like labels has lost', () => {
  const rows = rankClasses(answer, ['cat', '7', '3']);
  expect(rows.map((row) => row.label)).toEqual(['cat', '7', '3']);
  expect(rows.map((row) => row.rank)).toEqual([1, 0, 2]);
});

test('without fitting labels the answer speaks for itself', () => {
  const rows = rankClasses(answer, ['another', 'model']);
  expect(byProbability(rows).map((row) => row.label)).toEqual(['7', 'cat', '3']);
});
