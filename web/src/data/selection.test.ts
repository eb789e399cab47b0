// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Upload } from '../api/data';
import { arrow, click, kNothing, labelOfKey, nextAfter, prune } from './selection';

const ids = ['a', 'b', 'c', 'd', 'e'];
const plain = { extend: false, toggle: false };
const upload = (id: string, label: string | null = null) => ({ id, label }) as Upload;

test('a click chooses one, with Ctrl one more or less, with Shift everything between', () => {
  const b = click(kNothing, ids, 'b', plain);
  expect([...b.chosen]).toEqual(['b']);
  const range = click(b, ids, 'd', { ...plain, extend: true });
  expect([...range.chosen]).toEqual(['b', 'c', 'd']);
  const less = click(range, ids, 'c', { ...plain, toggle: true });
  expect([...less.chosen]).toEqual(['b', 'd']);
  expect(less.current).toBe('c');
  expect([...click(less, ids, 'a', plain).chosen]).toEqual(['a']);
});

test('Shift without a starting point is a plain click', () => {
  expect([...click(kNothing, ids, 'c', { ...plain, extend: true }).chosen]).toEqual(['c']);
});

test('arrows move in the grid and stop at its edges', () => {
  expect(arrow('ArrowRight', 0, 5, 3)).toBe(1);
  expect(arrow('ArrowDown', 1, 5, 3)).toBe(4);
  expect(arrow('ArrowDown', 2, 5, 3)).toBe(2);
  expect(arrow('ArrowLeft', 0, 5, 3)).toBe(0);
  expect(arrow('End', 0, 5, 3)).toBe(4);
  expect(arrow('x', 0, 5, 3)).toBeUndefined();
});

test('number keys name the first ten labels', () => {
  const labels = Array.from({ length: 12 }, (_, i) => `label ${i + 1}`);
  expect(labelOfKey('1', labels)).toBe('label 1');
  expect(labelOfKey('9', labels)).toBe('label 9');
  expect(labelOfKey('0', labels)).toBe('label 10');
  expect(labelOfKey('3', ['a'])).toBeUndefined();
  expect(labelOfKey('a', labels)).toBeUndefined();
});

test('after a label comes the next image without one, from the start again if need be', () => {
  const uploads = [upload('a'), upload('b'), upload('c', 'cat'), upload('d')];
  expect(nextAfter(uploads, new Set(['b'])).current).toBe('d');
  expect(nextAfter(uploads, new Set(['d'])).current).toBe('a');
  expect(nextAfter([upload('a', 'cat')], new Set(['a']))).toEqual(kNothing);
});

test('what is gone is no longer chosen', () => {
  const selection = { chosen: new Set(['a', 'b']), current: 'b' };
  expect(prune(selection, new Set(['a']))).toEqual({ chosen: new Set(['a']), current: undefined });
  expect(prune(selection, new Set(ids))).toBe(selection);
});
