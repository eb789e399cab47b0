// SPDX-License-Identifier: Apache-2.0
// Teaches the model what has been added, and says what came of it.
import { useState } from 'preact/hooks';
import { rejectedOf } from '../api/upload';
import type { Uploads } from '../api/data';
import { startRetraining } from '../api/jobs';
import { count } from '../format';
import { Outcome } from '../training/outcome';
import { isActive } from '../training/progress';
import { TrainingProgress } from '../training/progress_view';
import type { Training } from '../training/use_training';
import { useAction } from '../ui/action';
import { ErrorNote } from '../ui/error_note';

interface Props {
  uploads: Uploads;
  training: Training;
}

export function RetrainCard({ uploads, training }: Props) {
  const [epochs, setEpochs] = useState('3');
  const [job, setJob] = useState<string>();
  const action = useAction();
  const { labelled, unlabelled, by_label } = uploads;
  const status = training.status;
  const busy = status ? isActive(status) : false;
  const ours = status && (status.job_id === job || (busy && status.kind === 'retrain')) ? status : undefined;
  const start = () =>
    action.run(async () => {
      const made = await startRetraining({ epochs: Number(epochs) || undefined });
      setJob(made.id);
      training.refresh();
    });
  const rejected = action.error ? rejectedOf(action.error) : [];
  return (
    <section class="card" aria-labelledby="retrain-title" data-testid="retrain-card">
      <h2 id="retrain-title">Retrain</h2>
      <p class="muted">
        {labelled === 0
          ? 'Needs labelled images. '
          : `Teaches the model with ${count(labelled)} new ${labelled === 1 ? 'image' : 'images'} and a share of the old ones. `}
        It replaces the model that serves only if it is not worse.
        {unlabelled > 0 &&
          (unlabelled === 1
            ? ' The one without a label stays here.'
            : ` The ${count(unlabelled)} without a label stay here.`)}
      </p>
      {labelled > 0 && (
        <ul class="chips chips-small">
          {Object.entries(by_label).map(([label, n]) => (
            <li key={label}>
              {label} <span class="muted nums">{count(n)}</span>
            </li>
          ))}
        </ul>
      )}
      <form
        class="form-row"
        onSubmit={(event) => {
          event.preventDefault();
          start();
        }}
      >
        <label class="field field-short">
          <span>Epochs</span>
          <input
            type="number"
            min={1}
            max={1000}
            required
            value={epochs}
            onInput={(event) => setEpochs(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary" disabled={labelled === 0 || action.busy}>
          {busy ? 'Queue retraining' : 'Retrain'}
        </button>
      </form>
      {action.error && <ErrorNote error={action.error} />}
      {rejected.length > 0 && (
        <ul class="refused">
          {rejected.map((one, i) => (
            <li key={i}>
              <span class="clip">{one.file}</span>
              <span>{one.reason}</span>
            </li>
          ))}
        </ul>
      )}
      {ours && isActive(ours) && <TrainingProgress status={ours} />}
      {ours && !isActive(ours) && <Outcome status={ours} />}
    </section>
  );
}
