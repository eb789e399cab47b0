// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { cellsOf, step, tint, worstPairs } from './confusion';

const cells = cellsOf([
  [8, 2, 0],
  [5, 5, 0],
  [0, 0, 0],
]);

test('shares are of the true class, and 0 for a class without images', () => {
  expect(cells[1]).toEqual({ row: 0, column: 1, count: 2, share: 0.2 });
  expect(cells[8]?.share).toBe(0);
});

test('the worst pairs come largest first, without hits and zeros', () => {
  expect(worstPairs(cells, 5).map(({ row, column }) => [row, column])).toEqual([
    [1, 0],
    [0, 1],
  ]);
});

test('the worst miss is tinted fully, an empty cell not at all', () => {
  const [, , none, worst] = cells;
  expect(tint(worst!, 0.5)).toBeCloseTo(0.9);
  expect(tint(none!, 0.5)).toBe(0);
  expect(tint(none!, 0)).toBe(0);
});

test('arrow keys stay inside the matrix', () => {
  expect(step('ArrowDown', 0, 0, 3)).toEqual([1, 0]);
  expect(step('ArrowLeft', 0, 0, 3)).toEqual([0, 0]);
  expect(step('ArrowRight', 2, 2, 3)).toEqual([2, 2]);
  expect(step('Enter', 0, 0, 3)).toBeUndefined();
});
