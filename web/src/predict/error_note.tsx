// SPDX-License-Identifier: Apache-2.0
// A refused image: what the server found, in its own words.
import type { ApiError } from '../api/client';
import { Warning } from '../icons';

export function ErrorNote({ error, filename }: { error: ApiError; filename: string }) {
  const marks = [
    error.status ? `HTTP ${error.status}` : '',
    error.code,
    error.requestId && `request ${error.requestId}`,
  ];
  return (
    <div class="error-note" role="alert" data-testid="error">
      <Warning />
      <div>
        <strong>{error.message}</strong>
        {error.detail && error.detail !== error.message && <p>{error.detail}</p>}
        <p class="marks">{[filename, ...marks].filter(Boolean).join(' · ')}</p>
      </div>
    </div>
  );
}
