// SPDX-License-Identifier: Apache-2.0
// A training under way: how far it is and how well it does.
import type { TrainingStatus } from '../api/jobs';
import { percent } from '../format';
import { ProgressBar } from '../ui/progress_bar';
import { figuresOf, shareDone } from './progress';

export function TrainingProgress({ status }: { status: TrainingStatus }) {
  const share = shareDone(status);
  const stage = status.stage || (status.status === 'queued' ? 'Waiting for its turn' : 'Starting');
  return (
    <div class="training-progress" data-testid="training-progress">
      <p class="progress-head">
        <span class="reason">{status.message || stage}</span>
        <span class="nums muted">{share !== undefined && percent(share, 0)}</span>
      </p>
      <ProgressBar label="Training" value={status.status === 'queued' ? 0 : share} />
      <dl class="stats stats-four">
        {figuresOf(status).map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="nums">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
