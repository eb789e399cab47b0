// SPDX-License-Identifier: Apache-2.0
// An upload in progress: batch after batch, with what was taken and what was refused.
import { useCallback, useRef, useState } from 'preact/hooks';
import { type ApiError, asApiError } from '../api/client';
import type { AliasUse, Rejection, UploadAnswer } from '../api/data';
import { batchesOf, sendBatch, type Named } from '../api/upload';

export interface Transfer {
  state: 'sending' | 'done' | 'stopped' | 'failed';
  files: number;
  totalBytes: number;
  sentBytes: number;
  accepted: number;
  rejected: Rejection[];
  aliases: AliasUse[];
  error: ApiError | undefined;
}

export function beginTransfer(files: Named[]): Transfer {
  const totalBytes = files.reduce((sum, { file }) => sum + file.size, 0);
  return {
    state: 'sending',
    files: files.length,
    totalBytes,
    sentBytes: 0,
    accepted: 0,
    rejected: [],
    aliases: [],
    error: undefined,
  };
}

/** One more batch answered. */
export function addAnswer(transfer: Transfer, answer: UploadAnswer, sentBytes: number): Transfer {
  const aliases = new Map(transfer.aliases.map((one) => [one.given, one]));
  for (const one of answer.aliases ?? []) {
    const known = aliases.get(one.given);
    aliases.set(one.given, known ? { ...known, files: known.files + one.files } : one);
  }
  return {
    ...transfer,
    sentBytes,
    accepted: transfer.accepted + answer.count,
    rejected: [...transfer.rejected, ...(answer.rejected ?? [])],
    aliases: [...aliases.values()],
  };
}

export function useTransfer(onChange: () => void) {
  const [transfer, setTransfer] = useState<Transfer>();
  const abort = useRef<AbortController>();

  const start = useCallback(
    async (files: Named[], label: string) => {
      if (files.length === 0 || abort.current) return;
      const control = new AbortController();
      abort.current = control;
      let state = beginTransfer(files);
      const show = (next: Transfer) => setTransfer((state = next));
      show(state);
      let before = 0;
      try {
        for (const batch of batchesOf(files)) {
          const size = batch.reduce((sum, { file }) => sum + file.size, 0);
          const onSent = (bytes: number) => setTransfer({ ...state, sentBytes: before + Math.min(bytes, size) });
          const answer = await sendBatch(batch, label, control.signal, onSent);
          before += size;
          show(addAnswer(state, answer, before));
          onChange();
        }
        show({ ...state, state: 'done' });
      } catch (cause) {
        if (control.signal.aborted) show({ ...state, state: 'stopped' });
        else show({ ...state, state: 'failed', error: asApiError(cause) });
      }
      abort.current = undefined;
      onChange();
    },
    [onChange],
  );

  const stop = useCallback(() => abort.current?.abort(), []);
  const clear = useCallback(() => setTransfer(undefined), []);
  return { transfer, start, stop, clear };
}
