// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { TrainingStatus } from '../api/jobs';
import {
  figuresOf,
  flatten,
  historyOf,
  plain,
  recipeName,
  resultInWords,
  secondsOf,
  shareDone,
  shortReference,
} from './progress';

const running: TrainingStatus = { status: 'running', is_training: true };
const text = (value: string) => value.replaceAll('\u202f', ' ');

test('progress is the server’s, else that of the steps, else unknown', () => {
  expect(shareDone({ ...running, progress: 0.25, step: 1, total_steps: 2 })).toBe(0.25);
  expect(shareDone({ ...running, progress: null, step: 1, total_steps: 2 })).toBe(0.5);
  expect(shareDone({ ...running, step: 1, total_steps: 0 })).toBeUndefined();
  expect(shareDone({ ...running, status: 'done', progress: 0.97 })).toBe(1);
});

test('only figures that are known are shown', () => {
  const figures = figuresOf({ ...running, epoch: 2, epochs: 10, loss: 1.23456, val_accuracy: 0.5, eta_seconds: 95 });
  expect(figures.map((one) => `${one.name}: ${text(one.value)}`)).toEqual([
    'Epoch: 2 of 10',
    'Loss: 1.235',
    'Validation accuracy: 50.0 %',
    'Time left: 1 min 35 s',
  ]);
  expect(figuresOf({ ...running, loss: NaN, epoch: 0, epochs: 0, val_loss: null })).toEqual([]);
});

test('without a history of the server’s, epochs are gathered as they pass', () => {
  const one = historyOf({ ...running, epoch: 1, loss: 2, val_accuracy: 0.3 }, []);
  const same = historyOf({ ...running, epoch: 1, loss: 1.9, val_accuracy: 0.4 }, one);
  const two = historyOf({ ...running, epoch: 2, loss: 1, val_accuracy: 0.5 }, same);
  expect(two.map((epoch) => [epoch.epoch, epoch.loss])).toEqual([
    [1, 1.9],
    [2, 1],
  ]);
  const own = [{ epoch: 7, loss: 1 }];
  expect(historyOf({ ...running, history: own }, two)).toBe(own);
  expect(historyOf({ ...running, status: 'done', epoch: 3, val_accuracy: 1 }, two)).toBe(two);
});

test('a result tells version, accuracy and whether it serves', () => {
  const result = { model: 'pets', version: 3, test_accuracy: 0.9, previous_accuracy: 0.8, champion: true };
  expect(text(resultInWords(result))).toBe('pets v3, 90.0 % right on the test images (before: 80.0 %). It serves now.');
  expect(resultInWords({ version: 4, champion: false })).toBe('The model v4. It does not serve.');
});

test('a job’s time runs until its end', () => {
  const started = '2026-11-21T04:16:00Z';
  expect(secondsOf({ started, ended: '2026-11-21T04:17:05Z' }, 0)).toBe(65);
  expect(secondsOf({ started, ended: null }, Date.parse('2026-11-21T04:16:10Z'))).toBe(10);
  expect(secondsOf({ started: null }, 0)).toBeUndefined();
});

test('only plain values are shown of a record', () => {
  expect([plain(3), plain(0.123456), plain(true), plain('x')]).toEqual(['3', '0.1235', 'true', 'x']);
  expect([plain({}), plain(null), plain('')]).toEqual([undefined, undefined, undefined]);
});

test('a nested record becomes rows with dotted names', () => {
  const record = { seed: 1, recipe: { name: 'quick', optimizer: { kind: 'sgd' }, mean: [0.5, 0.25] }, none: null };
  expect(flatten(record)).toEqual([
    ['seed', '1'],
    ['recipe.name', 'quick'],
    ['recipe.optimizer.kind', 'sgd'],
    ['recipe.mean', '0.5000, 0.2500'],
  ]);
  expect(recipeName(record.recipe)).toBe('quick');
  expect(recipeName('quick')).toBe('quick');
  expect(recipeName(null)).toBeUndefined();
});

test('only a version that is a digest is shortened', () => {
  expect(shortReference('small@4c2d1b5c97b1')).toBe('small@4c2d1b5c');
  expect(shortReference('small@12')).toBe('small@12');
});
