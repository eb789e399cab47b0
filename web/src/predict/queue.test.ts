// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { kMaxItems, reduce, type Item, type Queue } from './queue';

const item = (id: number): Item => ({ id, file: { name: `${id}.jpg` } as File, url: `blob:${id}`, state: 'waiting' });
const empty: Queue = { items: [], selected: undefined };

test('new images go first and the first of them is shown', () => {
  const queue = reduce(reduce(empty, { type: 'add', items: [item(1)] }), { type: 'add', items: [item(2), item(3)] });
  expect(queue.items.map((one) => one.id)).toEqual([2, 3, 1]);
  expect(queue.selected).toBe(2);
});

test('an outcome reaches its own image only, and none once that is gone', () => {
  const queue = reduce(empty, { type: 'add', items: [item(1), item(2)] });
  const settled = reduce(queue, { type: 'settle', id: 2, change: { state: 'done' } });
  expect(settled.items.map((one) => one.state)).toEqual(['waiting', 'done']);
  expect(reduce(empty, { type: 'settle', id: 2, change: { state: 'done' } })).toEqual(empty);
});

test('the list is bounded', () => {
  const many = Array.from({ length: kMaxItems }, (_, i) => item(i));
  const queue = reduce(reduce(empty, { type: 'add', items: many }), { type: 'add', items: [item(9999)] });
  expect(queue.items).toHaveLength(kMaxItems);
  expect(queue.items[0]?.id).toBe(9999);
});
