// SPDX-License-Identifier: Apache-2.0
// The runs so far; one is opened to see its curves and settings.
import { useCallback, useMemo, useState } from 'preact/hooks';
import { getRun, type Run, type RunDetail } from '../api/jobs';
import { TrainingCurves } from '../charts/curves';
import { curvesOfRun, hasCurves } from '../charts/series';
import { percent, when } from '../format';
import { ErrorNote } from '../ui/error_note';
import { useLoad } from '../ui/load';
import { flatten, plain, recipeName, shortReference } from './progress';

function accuracyOf(run: Run): string {
  for (const name of ['test_accuracy', 'val_accuracy', 'best_val_accuracy', 'accuracy']) {
    const value = run.summary?.[name];
    if (typeof value === 'number') return `${percent(value)} ${name.startsWith('test') ? 'test' : 'validation'}`;
  }
  return '';
}

function titleOf(run: Run): string {
  const dataset = plain(run.params?.dataset);
  const parts = [recipeName(run.params?.recipe), dataset && shortReference(dataset)];
  return parts.filter(Boolean).join(' on ') || run.kind;
}

function Values({ title, values }: { title: string; values: Record<string, unknown> | null }) {
  const rows = flatten(values ?? {});
  if (rows.length === 0) return null;
  return (
    <details>
      <summary>{title}</summary>
      <dl class="facts facts-model facts-plain">
        {rows.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="clip" title={text}>
              {text}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function RunView({ run }: { run: RunDetail }) {
  const curves = useMemo(() => curvesOfRun(run.metrics), [run]);
  return (
    <div class="run-view" data-testid="run-view">
      {run.error && <p class="job-error">{run.error}</p>}
      {hasCurves(curves) ? <TrainingCurves curves={curves} /> : <p class="muted">It measured no epoch.</p>}
      <Values title="Result" values={run.summary} />
      <Values title="Settings" values={run.params} />
    </div>
  );
}

function OpenRun({ id, ended }: { id: string; ended: string | null | undefined }) {
  const load = useCallback((signal: AbortSignal) => getRun(id, signal), [id, ended]);
  const { data, error } = useLoad(load);
  if (error) return <ErrorNote error={error} />;
  return data ? <RunView run={data} /> : <p class="muted working">Loading…</p>;
}

export function RunsCard({ runs }: { runs: Run[] }) {
  const [open, setOpen] = useState<string>();
  return (
    <section class="card" aria-labelledby="runs-title" data-testid="runs-card">
      <h2 id="runs-title">Runs</h2>
      {runs.length === 0 && <p class="muted">No run is recorded yet.</p>}
      <ul class="runs">
        {runs.map((run) => (
          <li key={run.id}>
            <button
              type="button"
              class="run"
              aria-expanded={open === run.id}
              onClick={() => setOpen(open === run.id ? undefined : run.id)}
            >
              <span class={`state state-${run.status}`}>{run.status}</span>
              <span class="run-title clip">{titleOf(run)}</span>
              <span class="nums">{accuracyOf(run)}</span>
              <span class="muted nums run-time">{when(run.created)}</span>
            </button>
            {open === run.id && <OpenRun id={run.id} ended={run.ended} />}
          </li>
        ))}
      </ul>
    </section>
  );
}
