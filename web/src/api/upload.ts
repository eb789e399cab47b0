// SPDX-License-Identifier: Apache-2.0
// Sending files with their progress, which fetch() does not tell.
import { ApiError, errorFrom, parseBody, unreachable, withQuery } from './client';
import type { Rejection, UploadAnswer } from './data';
import { apiKey, keyHeader, wantKey } from './key';

/** A file and its name with the folders above it, which may be labels: "cat/1.jpg". */
export interface Named {
  file: File;
  name: string;
}

const kArchive = /\.(zip|tar|tar\.(gz|xz|bz2|zst)|tgz|npz)$/i;

export const isArchive = (name: string) => kArchive.test(name);

const kBatchFiles = 100;
const kBatchBytes = 12 * 1024 * 1024;

/** Files in requests of a bearable size, each archive alone. The order is kept. */
export function batchesOf(files: Named[]): Named[][] {
  const batches: Named[][] = [];
  let open: Named[] = [];
  let size = 0;
  const close = () => {
    if (open.length > 0) batches.push(open);
    open = [];
    size = 0;
  };
  for (const one of files) {
    if (isArchive(one.name)) {
      close();
      batches.push([one]);
      continue;
    }
    if (open.length >= kBatchFiles || size + one.file.size > kBatchBytes) close();
    open.push(one);
    size += one.file.size;
  }
  close();
  return batches;
}

interface Wire {
  path: string;
  body: Blob | FormData;
  type: string | undefined;
}

/** How a batch goes over the wire: an archive as the body itself, images as a form that keeps their folders. */
export function wireOf(batch: Named[], label: string): Wire {
  const [first] = batch;
  if (first && batch.length === 1 && isArchive(first.name)) {
    const query = { name: first.file.name, label: label || undefined };
    return { path: withQuery('/v1/uploads', query), body: first.file, type: 'application/octet-stream' };
  }
  const form = new FormData();
  if (label) form.append('label', label);
  for (const { file, name } of batch) form.append('files', file, name);
  return { path: '/v1/uploads', body: form, type: undefined };
}

function sendOnce(wire: Wire, key: string | undefined, signal: AbortSignal, onSent: (bytes: number) => void) {
  return new Promise<{ status: number; body: unknown }>((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    signal.addEventListener('abort', abort);
    xhr.open('POST', wire.path);
    xhr.setRequestHeader('Accept', 'application/json');
    if (wire.type) xhr.setRequestHeader('Content-Type', wire.type);
    for (const [name, value] of Object.entries(keyHeader(key))) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = (event) => onSent(event.loaded);
    xhr.onloadend = () => {
      signal.removeEventListener('abort', abort);
      if (signal.aborted) reject(signal.reason);
      else if (xhr.status === 0) reject(unreachable());
      else {
        try {
          resolve(parseBody(wire.path, xhr.status, xhr.responseText));
        } catch (cause) {
          reject(cause);
        }
      }
    };
    xhr.send(wire.body);
  });
}

/** One batch. Where every file was refused, the refusals are the answer, not an error. */
export async function sendBatch(
  batch: Named[],
  label: string,
  signal: AbortSignal,
  onSent: (bytes: number) => void,
): Promise<UploadAnswer> {
  const wire = wireOf(batch, label);
  const key = apiKey();
  let answer = await sendOnce(wire, key, signal, onSent);
  if (answer.status === 401) {
    const next = await wantKey(key, errorFrom(401, answer.body).message, true);
    if (next) answer = await sendOnce(wire, next, signal, onSent);
  }
  if (answer.status >= 200 && answer.status < 300) return answer.body as UploadAnswer;
  const error = errorFrom(answer.status, answer.body);
  const rejected = rejectedOf(error);
  if (rejected.length === 0) throw error;
  return { files: [], count: 0, rejected, aliases: [] };
}

export function rejectedOf(error: ApiError): Rejection[] {
  const body = error.body as { rejected?: Rejection[] } | undefined;
  return Array.isArray(body?.rejected) ? body.rejected : [];
}
