// SPDX-License-Identifier: Apache-2.0
// How a training ended.
import type { TrainingStatus } from '../api/jobs';
import { Check, Warning } from '../ui/icons';
import { resultInWords } from './progress';

export function Outcome({ status }: { status: TrainingStatus }) {
  if (status.status === 'done') {
    return (
      <div class="note note-good" role="status" data-testid="training-outcome">
        <Check />
        <div>
          <strong>Training done</strong>
          {status.result && <p>{resultInWords(status.result)}</p>}
          {status.result?.verdict && <p class="muted reason">{status.result.verdict}</p>}
        </div>
      </div>
    );
  }
  if (status.status === 'failed') {
    return (
      <div class="error-note" role="alert" data-testid="training-outcome">
        <Warning />
        <div>
          <strong>Training failed</strong>
          <p>{status.error || 'The server gave no reason.'}</p>
        </div>
      </div>
    );
  }
  if (status.status === 'cancelled') {
    return (
      <div class="note" role="status" data-testid="training-outcome">
        <Warning />
        <div>
          <strong>Training stopped</strong>
          <p class="muted reason">{status.message || 'Stopped on request; nothing was changed.'}</p>
        </div>
      </div>
    );
  }
  return null;
}
