// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Models } from '../api/models';
import { canRollBack, lineageRows, loadedOf, newestFirst, shapeInWords, shownChoice } from './choice';

const version = (n: number) => ({ version: n, aliases: [] });
const models: Models = {
  models: [
    { name: 'pets', champion: 1, latest: 2, versions: [version(1), version(2)] },
    { name: 'empty', champion: null, latest: null, versions: [] },
  ],
  serving: { name: 'pets', version: 2 },
  loaded: [{ name: 'pets', version: 2, state: 'ready', reason: null, default: true }],
};

test('a choice stays while it exists, else what serves is shown', () => {
  expect(shownChoice(models, { name: 'pets', version: 1 })).toEqual({ name: 'pets', version: 1 });
  expect(shownChoice(models, { name: 'pets', version: 9 })).toEqual({ name: 'pets', version: 2 });
  expect(shownChoice({ ...models, serving: null }, undefined)).toEqual({ name: 'pets', version: 1 });
  expect(shownChoice({ models: [], serving: null, loaded: [] }, undefined)).toBeUndefined();
});

test('what is loaded is told by model and version', () => {
  expect(loadedOf(models, { name: 'pets', version: 2 })?.state).toBe('ready');
  expect(loadedOf(models, { name: 'pets', version: 1 })).toBeUndefined();
  expect(loadedOf(models, { name: 'empty', version: 2 })).toBeUndefined();
});

test('versions come newest first', () => {
  expect(newestFirst(models.models[0]!).map((one) => one.version)).toEqual([2, 1]);
});

test('there is a way back only when the alias stood elsewhere before', () => {
  const move = (n: number | null) => ({ version: n, time: '' });
  expect(canRollBack([move(1)])).toBe(false);
  expect(canRollBack([move(1), move(2)])).toBe(true);
  expect(canRollBack([move(null), move(2)])).toBe(false);
});

test('shapes and lineage are put in words', () => {
  expect(shapeInWords([64, 16, 16])).toBe('64 × 16 × 16');
  expect(shapeInWords(null)).toBe('');
  expect(lineageRows({ dataset: 'small@1', parent: null, recipe: { epochs: 2 } })).toEqual([
    { name: 'dataset', value: 'small@1', long: false },
    { name: 'recipe', value: '{\n  "epochs": 2\n}', long: true },
  ]);
});
