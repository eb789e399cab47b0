// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { ApiError } from './client';
import { batchesOf, isArchive, rejectedOf, wireOf, type Named } from './upload';

const file = (name: string): Named => ({
  name,
  file: Object.assign(new Blob(['x']), { name: name.split('/').at(-1) }) as File,
});

// A Blob's size cannot be set, so sizes are pretended.
const large = (name: string, size: number): Named => ({ name, file: { name, size } as File });

test('archives are told by their endings', () => {
  expect(['a.zip', 'A.NPZ', 'x.tar.gz', 'x.tgz', 'x.tar'].every(isArchive)).toBe(true);
  expect(['a.jpg', 'zip', 'a.zip.png'].some(isArchive)).toBe(false);
});

test('requests stay bearable and every file is sent once, in order', () => {
  const megabyte = 1024 * 1024;
  const files = [large('a', 8 * megabyte), large('b', 8 * megabyte), large('c.zip', 5), large('d', 1)];
  files.push(...Array.from({ length: 150 }, (_, i) => large(`e${i}`, 10)));
  const batches = batchesOf(files);
  expect(batches.flat()).toEqual(files);
  expect(batches.map((batch) => batch.length)).toEqual([1, 1, 1, 100, 51]);
});

test('an image larger than a batch still goes, alone', () => {
  expect(batchesOf([large('a', 1e9), large('b', 1)]).map((batch) => batch.length)).toEqual([1, 1]);
  expect(batchesOf([])).toEqual([]);
});

test('an archive is the body, with its name and label in the query', () => {
  const wire = wireOf([file('x/pets.zip')], 'a cat');
  expect(wire.path).toBe('/v1/uploads?name=pets.zip&label=a+cat');
  expect(wire.type).toBe('application/octet-stream');
});

test("the reasons of an answer that refused everything are kept, a proxy's answer has none", () => {
  const rejected = [{ file: 'a.txt', reason: 'no image' }];
  expect(rejectedOf(new ApiError('x', '', 400, '', '', { error: 'x', rejected }))).toEqual(rejected);
  expect(rejectedOf(new ApiError('x', '', 502))).toEqual([]);
});
