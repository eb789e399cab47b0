// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { distribution, imagesIn, imbalance, splitsOf, spreadInWords } from './insights';

const dataset = {
  labels: ['cat', 'dog', 'empty'],
  counts: { train: { cat: 80, dog: 20 }, validation: {}, test: { cat: 10, dog: 5 } },
};

test('only splits with images count, and a class without images keeps its row', () => {
  expect(splitsOf(dataset)).toEqual(['train', 'test']);
  expect(distribution(dataset)).toEqual([
    { name: 'cat', counts: [80, 10] },
    { name: 'dog', counts: [20, 5] },
    { name: 'empty', counts: [0, 0] },
  ]);
  expect(imagesIn(dataset, 'train')).toBe(100);
});

test('imbalance compares the largest class with the smallest that has images', () => {
  expect(imbalance(distribution(dataset))).toBeCloseTo(90 / 25);
  expect(imbalance([])).toBe(1);
});

test('sizes are told in one number where there is one', () => {
  expect(spreadInWords({ min: 32, median: 32, max: 32 })).toBe('32 px');
  expect(spreadInWords({ min: 20, median: 299.5, max: 640 })).toBe('20 to 640 px, median 300');
});
