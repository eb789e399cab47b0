// SPDX-License-Identifier: Apache-2.0
// The state of training as it changes: told by the server where it streams, else asked for.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type ApiError, asApiError } from '../api/client';
import { readEvents } from '../api/events';
import { getTrainingStatus, kTrainingEvents, type EpochFigures, type TrainingStatus } from '../api/jobs';
import { historyOf } from './progress';

export interface Training {
  status: TrainingStatus | undefined;
  /** Epoch by epoch, of the job in `status`. */
  history: EpochFigures[];
  error: ApiError | undefined;
  refresh: () => void;
}

const kPollMs = 1500;
/** How often a stream that broke is tried again. */
const kStreamAgainMs = 15000;

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

type Seen = (status: TrainingStatus) => void;

async function poll(until: number, signal: AbortSignal, seen: Seen, failed: (error: ApiError) => void) {
  while (!signal.aborted && performance.now() < until) {
    try {
      seen(await getTrainingStatus(signal));
    } catch (cause) {
      if (!signal.aborted) failed(asApiError(cause));
    }
    await pause(kPollMs, signal);
  }
}

async function follow(signal: AbortSignal, seen: Seen, failed: (error: ApiError) => void) {
  while (!signal.aborted) {
    const begun = performance.now();
    try {
      await readEvents(kTrainingEvents, signal, ({ event, data }) => {
        if (event === 'status') seen(JSON.parse(data) as TrainingStatus);
      });
    } catch {
      // Asking tells what is wrong, if anything is.
    }
    await poll(begun + kStreamAgainMs, signal, seen, failed);
  }
}

export function useTraining(): Training {
  const [state, setState] = useState<Omit<Training, 'refresh'>>({ status: undefined, history: [], error: undefined });
  const seen = useRef<Seen>(() => {});
  const count = useRef(0); // of what was seen

  useEffect(() => {
    let abort: AbortController | undefined;
    seen.current = (status) => {
      count.current += 1;
      setState((last) => {
        const before = last.status?.job_id === status.job_id ? last.history : [];
        return { status, history: historyOf(status, before), error: undefined };
      });
    };
    const failed = (error: ApiError) => setState((last) => ({ ...last, error }));
    const start = () => {
      abort?.abort();
      abort = undefined;
      if (document.hidden) return;
      abort = new AbortController();
      follow(abort.signal, (status) => seen.current(status), failed);
    };
    start();
    document.addEventListener('visibilitychange', start);
    return () => {
      document.removeEventListener('visibilitychange', start);
      abort?.abort();
    };
  }, []);

  const refresh = useCallback(() => {
    const before = count.current;
    getTrainingStatus(new AbortController().signal).then(
      (status) => {
        // An answer may be overtaken by what the stream says; after the last event nothing would put it right.
        if (count.current === before) seen.current(status);
      },
      () => {},
    );
  }, []);
  return { ...state, refresh };
}
