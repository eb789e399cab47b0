// SPDX-License-Identifier: Apache-2.0
// A request that was refused or failed: what the server found, in its own words.
import type { ApiError } from '../api/client';
import { Warning } from './icons';

interface Props {
  error: ApiError;
  /** What it was about, as a file's name. */
  subject?: string;
}

export function ErrorNote({ error, subject }: Props) {
  const marks = [
    subject,
    error.status ? `HTTP ${error.status}` : '',
    error.code,
    error.requestId && `request ${error.requestId}`,
  ].filter(Boolean);
  return (
    <div class="error-note" role="alert" data-testid="error">
      <Warning />
      <div>
        <strong>{error.message}</strong>
        {error.detail && error.detail !== error.message && <p>{error.detail}</p>}
        {marks.length > 0 && <p class="marks">{marks.join(' · ')}</p>}
      </div>
    </div>
  );
}
