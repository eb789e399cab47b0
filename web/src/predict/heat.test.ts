// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { heatColour, heatPixels } from './heat';

test('cold is transparent, warm is opaque, and opacity only grows', () => {
  expect(heatColour(0)[3]).toBe(0);
  expect(heatColour(1)).toEqual([253, 224, 71, 255]);
  const alphas = Array.from({ length: 101 }, (_, i) => heatColour(i / 100)[3]);
  expect(alphas).toEqual([...alphas].sort((a, b) => a - b));
});

test('values out of range are held to it', () => {
  expect(heatColour(-1)).toEqual(heatColour(0));
  expect(heatColour(2)).toEqual(heatColour(1));
  expect(heatColour(NaN)).toEqual(heatColour(0));
});

test('pixels lie row by row', () => {
  const { width, height, pixels } = heatPixels([
    [0, 1, 0],
    [1, 0, 0],
  ]);
  expect([width, height]).toEqual([3, 2]);
  const warm = [...Array(6).keys()].filter((i) => pixels[i * 4 + 3] === 255);
  expect(warm).toEqual([1, 3]);
});
