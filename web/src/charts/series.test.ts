// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { curvesOfHistory, curvesOfMetrics, curvesOfRun, hasCurves, lastKnown, lonely } from './series';

test('epochs are put in order, and what was not measured is a gap', () => {
  const curves = curvesOfHistory([
    { epoch: 2, loss: 0.5, val_loss: NaN },
    { epoch: 1, loss: 0.9, accuracy: 0.4, val_loss: 1.1 },
  ]);
  expect(curves.epochs).toEqual([1, 2]);
  expect(curves.loss).toEqual([0.9, 0.5]);
  expect(curves.accuracy).toEqual([0.4, null]);
  expect(curves.val_loss).toEqual([1.1, null]);
});

test('arrays of different lengths share one axis', () => {
  const curves = curvesOfMetrics({ loss: [3, 2, 1], accuracy: [], val_loss: [2], val_accuracy: [null, 0.5] });
  expect(curves.epochs).toEqual([1, 2, 3]);
  expect(curves.val_loss).toEqual([2, null, null]);
  expect(curves.val_accuracy).toEqual([null, 0.5, null]);
});

test("a run's training figures by step are read at the steps of its validations", () => {
  const point = (step: number, value: number) => ({ step, value });
  const curves = curvesOfRun({
    loss: [point(10, 3), point(20, 2), point(30, 1.5), point(40, 1)],
    val_loss: [point(40, 1.2), point(20, 2.2)],
    val_accuracy: [point(20, 0.4), point(40, 0.6)],
  });
  expect(curves.epochs).toEqual([1, 2]);
  expect(curves.loss).toEqual([2, 1]);
  expect(curves.val_loss).toEqual([2.2, 1.2]);
  expect(curves.accuracy).toEqual([null, null]);
});

test('without a finite value there is nothing to draw', () => {
  expect(hasCurves(curvesOfMetrics({ loss: [null], accuracy: [], val_loss: [], val_accuracy: [] }))).toBe(false);
  expect(hasCurves(curvesOfHistory([{ epoch: 1, val_accuracy: 0 }]))).toBe(true);
});

test('values between gaps are found, so that they can be drawn as points', () => {
  expect(lonely([1, null, 2, 3, null, 4])).toEqual([0, 5]);
  expect(lonely([])).toEqual([]);
});

test('what is read at first is the last thing that was measured', () => {
  expect(
    lastKnown(
      [
        [1, 2, null, null],
        [null, null, 3, null],
      ],
      4,
    ),
  ).toBe(2);
  expect(lastKnown([[null, null]], 2)).toBe(1);
  expect(lastKnown([], 0)).toBe(-1);
});
