// SPDX-License-Identifier: Apache-2.0
// A value that depends on what the reader chose: fetched when the choice changes, the old one dropped at once.
import { useEffect, useState } from 'preact/hooks';
import { type ApiError, asApiError } from '../api/client';

export interface Loaded<T> {
  data: T | undefined;
  error: ApiError | undefined;
}

/** Calls `load` whenever it changes (give it useCallback); undefined loads nothing. */
export function useLoad<T>(load: ((signal: AbortSignal) => Promise<T>) | undefined): Loaded<T> {
  const [state, setState] = useState<Loaded<T> & { of?: unknown }>({ data: undefined, error: undefined });
  useEffect(() => {
    if (!load) return;
    const abort = new AbortController();
    load(abort.signal).then(
      (data) => !abort.signal.aborted && setState({ data, error: undefined, of: load }),
      (cause) => !abort.signal.aborted && setState({ data: undefined, error: asApiError(cause), of: load }),
    );
    return () => abort.abort();
  }, [load]);
  return load && state.of === load ? state : { data: undefined, error: undefined };
}
