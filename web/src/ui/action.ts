// SPDX-License-Identifier: Apache-2.0
// What a button starts: busy while it runs, its error kept until the next try.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type ApiError, asApiError } from '../api/client';

export interface Action {
  busy: boolean;
  error: ApiError | undefined;
  /** Runs `work` unless something is running; true when it succeeded. */
  run: (work: () => Promise<unknown>) => Promise<boolean>;
  clear: () => void;
}

export function useAction(): Action {
  const [state, setState] = useState<{ busy: boolean; error: ApiError | undefined }>({ busy: false, error: undefined });
  const busy = useRef(false);
  const gone = useRef(false);
  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
    };
  }, []);
  const run = useCallback(async (work: () => Promise<unknown>) => {
    if (busy.current) return false;
    busy.current = true;
    setState({ busy: true, error: undefined });
    let error: ApiError | undefined;
    try {
      await work();
    } catch (cause) {
      error = asApiError(cause);
    }
    busy.current = false;
    if (!gone.current) setState({ busy: false, error });
    return !error;
  }, []);
  const clear = useCallback(() => setState((last) => ({ ...last, error: undefined })), []);
  return { ...state, run, clear };
}
