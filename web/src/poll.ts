// SPDX-License-Identifier: Apache-2.0
// Asking the server again and again, but not while nobody looks.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export interface Polled<T> {
  /** The last good answer; kept while later ones fail. */
  data: T | undefined;
  /** When `data` came, by performance.now(). */
  receivedAt: number;
  error: Error | undefined;
  refresh: () => void;
}

/** Calls `load` now, then `everyMs` after each answer, pausing while the page is hidden. `load` must be a stable function. */
export function usePolling<T>(load: (signal: AbortSignal) => Promise<T>, everyMs: number): Polled<T> {
  const [state, setState] = useState<Omit<Polled<T>, 'refresh'>>({ data: undefined, receivedAt: 0, error: undefined });
  const wake = useRef<() => void>(() => {});

  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    let busy = false;
    let again = false;

    const ask = async () => {
      window.clearTimeout(timer);
      // What is asked for in the meantime must see what has changed in the meantime.
      again = busy;
      if (busy || document.hidden) return;
      busy = true;
      try {
        const data = await load(abort.signal);
        setState({ data, receivedAt: performance.now(), error: undefined });
      } catch (error) {
        if (abort.signal.aborted) return;
        setState((last) => ({ ...last, error: error as Error }));
      }
      busy = false;
      if (again) ask();
      else timer = window.setTimeout(ask, everyMs);
    };

    wake.current = ask;
    document.addEventListener('visibilitychange', ask);
    ask();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
      document.removeEventListener('visibilitychange', ask);
    };
  }, [load, everyMs]);

  const refresh = useCallback(() => wake.current(), []);
  return { ...state, refresh };
}

/** Re-renders every `everyMs`, for clocks; answers performance.now(). */
export function useClock(everyMs: number): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(performance.now()), everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs]);
  return now;
}
