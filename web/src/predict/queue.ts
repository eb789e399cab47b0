// SPDX-License-Identifier: Apache-2.0
// The images of this visit: sent a few at a time, each with its own answer or its own error.
import { useCallback, useEffect, useReducer, useRef } from 'preact/hooks';
import { type ApiError, asApiError } from '../api/client';
import { predict, type Prediction } from '../api/server';

export interface Item {
  id: number;
  file: File;
  /** An object URL for the preview, given back when the item leaves the list. */
  url: string;
  state: 'waiting' | 'done' | 'failed';
  answer?: Prediction;
  error?: ApiError;
  /** From sending to the whole answer, as the browser saw it. */
  roundTripSeconds?: number;
}

export interface Queue {
  items: Item[];
  selected: number | undefined;
}

export type Action =
  | { type: 'add'; items: Item[] }
  | { type: 'settle'; id: number; change: Partial<Item> }
  | { type: 'select'; id: number }
  | { type: 'clear' };

/** The list keeps this many; older ones make room. */
export const kMaxItems = 500;
const kAtOnce = 4;

/** Newest first; the first image of what was just added is shown. */
export function reduce(queue: Queue, action: Action): Queue {
  switch (action.type) {
    case 'add':
      return {
        items: [...action.items, ...queue.items].slice(0, kMaxItems),
        selected: action.items[0]?.id ?? queue.selected,
      };
    case 'settle':
      return { ...queue, items: queue.items.map((i) => (i.id === action.id ? { ...i, ...action.change } : i)) };
    case 'select':
      return { ...queue, selected: action.id };
    case 'clear':
      return { items: [], selected: undefined };
  }
}

async function settle(file: File, signal: AbortSignal): Promise<Partial<Item>> {
  const start = performance.now();
  try {
    const answer = await predict(file, signal);
    return { state: 'done', answer, roundTripSeconds: (performance.now() - start) / 1000 };
  } catch (error) {
    return { state: 'failed', error: asApiError(error) };
  }
}

export function useQueue(onSettled: () => void) {
  const [queue, dispatch] = useReducer(reduce, { items: [], selected: undefined });
  const waiting = useRef<Item[]>([]);
  const running = useRef(0);
  const nextId = useRef(1);
  const abort = useRef(new AbortController());
  const urls = useRef(new Map<number, string>());

  const pump = useCallback(async () => {
    while (running.current < kAtOnce) {
      const item = waiting.current.shift();
      if (!item) return;
      running.current++;
      const { signal } = abort.current;
      settle(item.file, signal).then((change) => {
        running.current--;
        if (!signal.aborted) dispatch({ type: 'settle', id: item.id, change });
        if (waiting.current.length === 0 && running.current === 0) onSettled();
        pump();
      });
    }
  }, [onSettled]);

  const add = useCallback(
    (files: File[]) => {
      if (files.length === 0) return;
      const items = files.slice(0, kMaxItems).map<Item>((file) => {
        const item: Item = { id: nextId.current++, file, url: URL.createObjectURL(file), state: 'waiting' };
        urls.current.set(item.id, item.url);
        return item;
      });
      dispatch({ type: 'add', items });
      waiting.current.push(...items);
      pump();
    },
    [pump],
  );

  const clear = useCallback(() => {
    abort.current.abort();
    abort.current = new AbortController();
    waiting.current = [];
    dispatch({ type: 'clear' });
  }, []);

  useEffect(() => {
    const kept = new Set(queue.items.map((item) => item.id));
    for (const [id, url] of urls.current) {
      if (kept.has(id)) continue;
      URL.revokeObjectURL(url);
      urls.current.delete(id);
    }
  }, [queue.items]);

  const select = useCallback((id: number) => dispatch({ type: 'select', id }), []);
  return { queue, add, select, clear };
}
