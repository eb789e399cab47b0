// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { droppedFiles, namedFiles, withoutNoise } from './files';

const file = (name: string, webkitRelativePath = '') => ({ name, webkitRelativePath }) as File;

const fileEntry = (name: string) => ({
  isFile: true,
  isDirectory: false,
  name,
  file: (done: (file: File) => void) => done(file(name)),
});

/** Hands out its entries two at a time, as browsers hand out a hundred. */
function folderEntry(name: string, entries: object[]) {
  return {
    isFile: false,
    isDirectory: true,
    name,
    createReader: () => {
      const rest = [...entries];
      return { readEntries: (done: (some: object[]) => void) => done(rest.splice(0, 2)) };
    },
  };
}

function drop(entries: { name: string }[]): DataTransfer {
  return {
    items: entries.map((entry) => ({ kind: 'file', webkitGetAsEntry: () => entry })),
    files: entries.map((entry) => file(entry.name)),
  } as unknown as DataTransfer;
}

test('a dropped folder is walked to its end, and its folders stay in the names', async () => {
  const pets = folderEntry('pets', [
    folderEntry('cat', [fileEntry('1.jpg'), fileEntry('2.jpg'), fileEntry('3.jpg')]),
    folderEntry('empty', []),
    fileEntry('list.txt'),
  ]);
  const names = (await droppedFiles(drop([pets, fileEntry('x.png')]))).map((one) => one.name);
  expect(names).toEqual(['pets/cat/1.jpg', 'pets/cat/2.jpg', 'pets/cat/3.jpg', 'pets/list.txt', 'x.png']);
});

test('dropped files are taken as they are', async () => {
  expect((await droppedFiles(drop([fileEntry('a.jpg')]))).map((one) => one.name)).toEqual(['a.jpg']);
});

test('a chosen folder gives paths, a chosen file its name', () => {
  expect(namedFiles([file('a.jpg', 'cat/a.jpg'), file('b.jpg')]).map((one) => one.name)).toEqual([
    'cat/a.jpg',
    'b.jpg',
  ]);
});

test('what operating systems leave in folders is left out', () => {
  const names = ['cat/1.jpg', 'cat/.DS_Store', 'Thumbs.db', '__MACOSX/cat/1.jpg', 'cat/.hidden.jpg', 'v1.0/2.jpg'];
  const kept = withoutNoise(names.map((name) => ({ name, file: file(name) })));
  expect(kept.map((one) => one.name)).toEqual(['cat/1.jpg', 'v1.0/2.jpg']);
});
