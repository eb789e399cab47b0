// SPDX-License-Identifier: Apache-2.0
// The training that runs, or the last one that did, with its curves.
import { useMemo } from 'preact/hooks';
import { stopJob } from '../api/jobs';
import { TrainingCurves } from '../charts/curves';
import { curvesOfHistory } from '../charts/series';
import { when } from '../format';
import { useAction } from '../ui/action';
import { ErrorNote } from '../ui/error_note';
import { Outcome } from './outcome';
import { isActive } from './progress';
import { TrainingProgress } from './progress_view';
import type { Training } from './use_training';

const kTitles = {
  idle: 'No training yet',
  queued: 'Training is queued',
  running: 'Training',
  done: 'Last training',
  failed: 'Last training',
  cancelled: 'Last training',
} as const;

export function LiveCard({ training }: { training: Training }) {
  const { status, history, error } = training;
  const action = useAction();
  const curves = useMemo(() => curvesOfHistory(history), [history]);
  if (!status) return error ? <ErrorNote error={error} /> : null;
  const active = isActive(status);
  const id = status.job_id;
  const stop = () =>
    action.run(async () => {
      if (id) await stopJob(id);
      training.refresh();
    });
  return (
    <section class="card live" aria-labelledby="live-title" data-testid="live-card" aria-busy={active}>
      <div class="list-head">
        <h2 id="live-title">{kTitles[status.status]}</h2>
        <span class="muted">
          {[status.kind, status.started && `${isActive(status) ? 'since' : 'of'} ${when(status.started)}`]
            .filter(Boolean)
            .join(', ')}
        </span>
        {active && id && (
          <button type="button" class="secondary" disabled={action.busy} onClick={stop}>
            {status.status === 'queued' ? 'Cancel' : 'Stop training'}
          </button>
        )}
      </div>
      {status.status === 'idle' && (
        <p class="muted">Start one here; its progress shows here as it goes, and it goes on if this page is closed.</p>
      )}
      {action.error && <ErrorNote error={action.error} />}
      {error && <ErrorNote error={error} />}
      {active ? <TrainingProgress status={status} /> : <Outcome status={status} />}
      <TrainingCurves curves={curves} />
    </section>
  );
}
