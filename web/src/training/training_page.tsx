// SPDX-License-Identifier: Apache-2.0
// The third page: start and stop training, watch it, and look back at what ran.
import { useEffect } from 'preact/hooks';
import { asApiError } from '../api/client';
import { getJobs, getRuns } from '../api/jobs';
import { usePolling } from '../poll';
import { ErrorNote } from '../ui/error_note';
import { JobsCard } from './jobs_card';
import { LiveCard } from './live_card';
import { isActive } from './progress';
import { RunsCard } from './runs_card';
import { StartCard } from './start_card';
import { useTraining } from './use_training';

export function TrainingPage() {
  const training = useTraining();
  const jobs = usePolling(getJobs, 8000);
  const runs = usePolling(getRuns, 8000);
  const state = `${training.status?.job_id} ${training.status?.status}`;
  const refreshLists = () => {
    jobs.refresh();
    runs.refresh();
  };
  useEffect(refreshLists, [state]);
  return (
    <>
      <h1 class="title page-title">Training</h1>
      <div class="columns columns-side">
        <div class="column">
          <StartCard
            busy={training.status ? isActive(training.status) : false}
            onStarted={() => {
              training.refresh();
              refreshLists();
            }}
          />
          {jobs.error && <ErrorNote error={asApiError(jobs.error)} />}
          {jobs.data && <JobsCard jobs={jobs.data} onChange={refreshLists} />}
        </div>
        <div class="column">
          <LiveCard training={training} />
          {runs.error && <ErrorNote error={asApiError(runs.error)} />}
          {runs.data && <RunsCard runs={runs.data} />}
        </div>
      </div>
    </>
  );
}
