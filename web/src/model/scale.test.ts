// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { linePath, ticks } from './scale';

test('ticks are round numbers that span the data', () => {
  expect(ticks(0.25, 0.76)).toEqual([0.2, 0.4, 0.6, 0.8]);
  expect(ticks(0, 10)).toEqual([0, 5, 10]);
});

test('data without a span gets a single tick', () => {
  expect(ticks(3, 3)).toEqual([3]);
  expect(ticks(Infinity, -Infinity)).toEqual([Infinity]);
});

test('a line breaks where a value is missing', () => {
  const same = (value: number) => value;
  expect(linePath([1, null, 3, 4], same, same)).toBe('M0.0 1.0M2.0 3.0L3.0 4.0');
});
