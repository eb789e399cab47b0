// SPDX-License-Identifier: Apache-2.0
// Everything that was asked for: queued, running, done, and what failed with its reason.
import { stopJob, type Job } from '../api/jobs';
import { count, duration, when } from '../format';
import { useAction } from '../ui/action';
import { ErrorNote } from '../ui/error_note';
import { FoldingList } from '../ui/folding_list';
import { isActive, resultInWords, secondsOf, shortReference } from './progress';

/** What was asked for, in a few words. */
function wishOf(job: Job): string {
  const { kind, recipe, dataset, model, images, epochs } = job;
  const parts = [
    kind,
    recipe,
    dataset && shortReference(dataset),
    model,
    images && (images === 1 ? '1 new image' : `${count(images)} new images`),
    epochs && (epochs === 1 ? '1 epoch' : `${epochs} epochs`),
  ];
  return parts.filter(Boolean).join(' · ');
}

function JobRow({ job, onStop, busy }: { job: Job; onStop: () => void; busy: boolean }) {
  const seconds = secondsOf(job, Date.now());
  return (
    <li class="job">
      <span class={`state state-${job.state}`}>{job.state}</span>
      <div class="job-words">
        <p>{wishOf(job)}</p>
        <p class="muted">
          {when(job.created)}
          {seconds !== undefined && `, ${duration(seconds)}`}
          {(job.attempts ?? 1) > 1 && `, attempt ${job.attempts}`}
        </p>
        {job.state === 'failed' && <p class="job-error">{job.error || 'The server gave no reason.'}</p>}
        {job.state === 'done' && job.result && <p>{resultInWords(job.result)}</p>}
      </div>
      {isActive({ status: job.state }) && (
        <button type="button" class="quiet" disabled={busy} onClick={onStop}>
          {job.state === 'queued' ? 'Cancel' : 'Stop'}
        </button>
      )}
    </li>
  );
}

export function JobsCard({ jobs, onChange }: { jobs: Job[]; onChange: () => void }) {
  const action = useAction();
  return (
    <section class="card" aria-labelledby="jobs-title" data-testid="jobs-card">
      <h2 id="jobs-title">Jobs</h2>
      {jobs.length === 0 && <p class="muted">None has been asked for.</p>}
      {action.error && <ErrorNote error={action.error} />}
      <FoldingList
        class="jobs"
        items={jobs}
        shown={6}
        render={(job) => (
          <JobRow
            key={job.id}
            job={job}
            busy={action.busy}
            onStop={() => action.run(() => stopJob(job.id)).then(onChange)}
          />
        )}
      />
    </section>
  );
}
