// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Prediction } from '../api/server';
import { doubtOf, limitsOf } from './abstention';

const answer = { prediction: 'cat', confidence: 0.6 } as Prediction;
const plain = (rows: ReturnType<typeof limitsOf>) => rows.map((row) => row[1]?.replaceAll('\u202f', ' '));

test('an answer says why it is not to be relied on', () => {
  expect(doubtOf(answer)).toBeUndefined();
  expect(doubtOf({ ...answer, abstained: false })).toBeUndefined();
  expect(doubtOf({ ...answer, abstained: true, abstained_because: 'confidence' })).toMatch(/below the model’s limit/);
  expect(doubtOf({ ...answer, abstained: true, abstained_because: 'energy' })).toMatch(/unlike the images/);
});

test('limits are named as far as they are set, many as their range', () => {
  expect(limitsOf(null)).toEqual([]);
  expect(plain(limitsOf({ least_confidence: 0.71, most_energy: -4.256 }))).toEqual([
    '71.0 % confident',
    'energy −4.26',
  ]);
  expect(plain(limitsOf({ least_confidence: [0.5, 0.8, 0.6], most_energy: null }))).toEqual([
    '50.0 % to 80.0 %, by class',
    undefined,
  ]);
});
