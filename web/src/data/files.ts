// SPDX-License-Identifier: Apache-2.0
// Files out of a drop or a choice, with the folders above them.
import type { Named } from '../api/upload';

/** What a chosen file is called; a chosen folder gives paths. */
export function namedFiles(files: Iterable<File>): Named[] {
  return [...files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
}

async function filesBelow(entry: FileSystemEntry, prefix: string): Promise<Named[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ file, name: prefix + file.name }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Named[] = [];
  for (;;) {
    // A reader hands out a hundred entries at a time, and none when it is done.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found;
    for (const one of some) found.push(...(await filesBelow(one, `${prefix}${entry.name}/`)));
  }
}

/** Everything in a drop, folders walked through. Must be called in the event itself, before anything is awaited. */
export function droppedFiles(transfer: DataTransfer): Promise<Named[]> {
  const entries = [...transfer.items].map((item) => (item.kind === 'file' ? item.webkitGetAsEntry() : null));
  const plain = namedFiles(transfer.files);
  if (entries.every((entry) => !entry?.isDirectory)) return Promise.resolve(plain);
  return Promise.all(entries.map((entry) => (entry ? filesBelow(entry, '') : []))).then((lists) => lists.flat());
}

const kNoise = /(^|\/)(\.[^/]*|thumbs\.db|desktop\.ini)$|(^|\/)__macosx\//i;

/** Without what operating systems leave in folders. */
export const withoutNoise = (files: Named[]) => files.filter(({ name }) => !kNoise.test(name));
