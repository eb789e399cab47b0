// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { addAnswer, beginTransfer } from './transfer';

const file = (size: number) => ({ name: 'x', file: { size } as File });

test('answers add up, and the same alias in two batches is one line', () => {
  const start = beginTransfer([file(10), file(20)]);
  expect(start).toMatchObject({ files: 2, totalBytes: 30, state: 'sending' });
  const answer = { files: ['a'], count: 1, rejected: [], aliases: [{ given: 'cats', label: 'cat', files: 1 }] };
  const once = addAnswer(start, answer, 10);
  const twice = addAnswer(once, { ...answer, rejected: [{ file: 'b', reason: 'no image' }] }, 30);
  expect(twice).toMatchObject({ accepted: 2, sentBytes: 30, aliases: [{ given: 'cats', label: 'cat', files: 2 }] });
  expect(twice.rejected).toHaveLength(1);
});
