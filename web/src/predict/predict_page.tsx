// SPDX-License-Identifier: Apache-2.0
// The first page: images in, classes out, with the model that answers beside it.
import { curvesOfMetrics } from '../charts/series';
import { ConfusionCard } from '../model/confusion_card';
import { CurvesCard } from '../model/curves_card';
import { ClassTable } from '../model/class_table';
import { ImportedNote } from '../model/imported_note';
import { ModelCard } from '../model/model_card';
import { ServerCard } from '../server/server_card';
import type { ServerState } from '../server/server_state';
import { DropZone } from './drop_zone';
import { ResultCard } from './result_card';
import { ResultList } from './result_list';
import { useQueue } from './queue';

function KnownClasses({ labels }: { labels: string[] }) {
  const kShown = 40;
  return (
    <div class="known">
      <h3>This model tells {labels.length} classes apart</h3>
      <ul class="chips">
        {labels.slice(0, kShown).map((label) => (
          <li key={label}>{label}</li>
        ))}
        {labels.length > kShown && <li class="muted">and {labels.length - kShown} more</li>}
      </ul>
    </div>
  );
}

export function PredictPage({ server }: { server: ServerState }) {
  const { data: status, error, refresh } = server.status;
  const { queue, add, select, clear } = useQueue(refresh);
  const model = status?.model ?? undefined;
  const current = queue.items.find((item) => item.id === queue.selected) ?? queue.items[0];
  const closed = !status || status.status !== 'ready' || Boolean(error);
  return (
    <>
      <div class="columns">
        <div class={current ? 'column' : 'column column-empty'} aria-label="Predict" role="region">
          <h1 class="title">What is in the picture?</h1>
          <DropZone compact={queue.items.length > 0} disabled={closed} onFiles={add} />
          {current && <ResultCard item={current} labels={model?.labels} />}
          {queue.items.length > 1 && (
            <ResultList items={queue.items} selected={current?.id} onSelect={select} onClear={clear} />
          )}
          {!current && model && <KnownClasses labels={model.labels} />}
        </div>
        <aside class="column" aria-label="Model and server">
          {model && <ModelCard model={model} />}
          {model && <ImportedNote model={model} />}
          <ServerCard server={server} />
        </aside>
      </div>
      {model?.test && (
        <div class="evidence">
          <ConfusionCard test={model.test} />
          <ClassTable classes={model.test.classes} />
          {server.metrics.data && <CurvesCard curves={curvesOfMetrics(server.metrics.data)} />}
        </div>
      )}
    </>
  );
}
