// SPDX-License-Identifier: Apache-2.0
// The images that wait to be learned from: looked at, labelled by hand or by number key, deleted.
import { useEffect, useRef, useState } from 'preact/hooks';
import { deleteUpload, setLabel, type Upload, type Uploads } from '../api/data';
import { count } from '../format';
import { useAction } from '../ui/action';
import { ApiImage } from '../ui/api_image';
import { ErrorNote } from '../ui/error_note';
import { LabelBar } from './label_bar';
import { arrow, click, kNothing, labelOfKey, nextAfter, prune, type Selection } from './selection';

type Filter = 'all' | 'unlabelled' | 'labelled';

const kFilters: [Filter, string][] = [
  ['all', 'All'],
  ['unlabelled', 'Without label'],
  ['labelled', 'Labelled'],
];
const kShownAtFirst = 120;

const passes = (filter: Filter) => (one: Upload) => filter === 'all' || (filter === 'labelled') === Boolean(one.label);

interface TileProps {
  upload: Upload;
  chosen: boolean;
  focusable: boolean;
  onClick: (event: MouseEvent) => void;
}

function Tile({ upload, chosen, focusable, onClick }: TileProps) {
  return (
    <li>
      <button
        type="button"
        class={upload.label ? 'tile' : 'tile tile-open'}
        data-id={upload.id}
        aria-pressed={chosen}
        tabIndex={focusable ? 0 : -1}
        title={`${upload.name}, ${upload.width} × ${upload.height}`}
        onClick={onClick}
      >
        <ApiImage url={upload.url} alt={upload.name} width={upload.width} />
        <span class="tile-label clip">{upload.label ?? 'no label'}</span>
      </button>
    </li>
  );
}

/** How many tiles are in one row of the grid. */
function columnsOf(grid: HTMLElement | null): number {
  return grid ? getComputedStyle(grid).gridTemplateColumns.split(' ').length : 1;
}

interface Props {
  data: Uploads;
  labels: string[];
  onChange: () => void;
}

export function StagedCard({ data, labels, onChange }: Props) {
  const [filter, setFilter] = useState<Filter>('all');
  const [most, setMost] = useState(kShownAtFirst);
  const [selection, setSelection] = useState<Selection>(kNothing);
  const action = useAction();
  const grid = useRef<HTMLUListElement>(null);
  const passing = data.uploads.filter(passes(filter));
  const shown = passing.slice(0, most);
  const ids = shown.map((one) => one.id);

  useEffect(() => setSelection((last) => prune(last, new Set(data.uploads.map((one) => one.id)))), [data.uploads]);
  const focusOn = (id: string | undefined) => {
    if (id !== undefined) grid.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`)?.focus();
  };

  const apply = (label: string) => {
    const targets = selection.chosen;
    if (targets.size === 0) return;
    action.run(async () => {
      for (const id of targets) await setLabel(id, label);
      const next = nextAfter(shown, targets);
      setSelection(next);
      if (grid.current?.contains(document.activeElement)) focusOn(next.current);
      onChange();
    });
  };
  const remove = () => {
    const targets = selection.chosen;
    action.run(async () => {
      for (const id of targets) await deleteUpload(id);
      setSelection(kNothing);
      onChange();
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const label = labelOfKey(event.key, labels);
    if (label !== undefined) {
      event.preventDefault();
      apply(label);
      return;
    }
    if (event.key === 'Delete') remove();
    const index = ids.indexOf((event.target as HTMLElement).dataset.id ?? '');
    const next = index < 0 ? undefined : arrow(event.key, index, ids.length, columnsOf(grid.current));
    const id = next === undefined ? undefined : ids[next];
    if (id === undefined) return;
    event.preventDefault();
    setSelection((last) => click(last, ids, id, { extend: event.shiftKey, toggle: false }));
    focusOn(id);
  };

  return (
    <section class="card staged" aria-labelledby="staged-title">
      <div class="list-head">
        <h2 id="staged-title">Waiting to be learned</h2>
        <span class="muted nums" role="status" data-testid="staged-counts">
          {count(data.total)} {data.total === 1 ? 'image' : 'images'}, {count(data.unlabelled)} without a label
        </span>
        {data.total > 0 && (
          <div class="segmented" role="group" aria-label="Which images to show">
            {kFilters.map(([id, name]) => (
              <button key={id} type="button" aria-pressed={filter === id} onClick={() => setFilter(id)}>
                {name}
              </button>
            ))}
          </div>
        )}
      </div>
      {data.total === 0 ? (
        <p class="muted">Nothing is waiting. Images that you add stay here until a retraining takes them.</p>
      ) : (
        <>
          <LabelBar
            labels={labels}
            chosen={selection.chosen.size}
            busy={action.busy}
            onLabel={apply}
            onDelete={remove}
            onAll={() => setSelection({ chosen: new Set(ids), current: ids[0] })}
          />
          {action.error && <ErrorNote error={action.error} />}
          {shown.length === 0 && <p class="muted">None of the images is like that.</p>}
          <ul class="tiles" ref={grid} data-testid="tiles" onKeyDown={onKeyDown}>
            {shown.map((one, i) => (
              <Tile
                key={one.id}
                upload={one}
                chosen={selection.chosen.has(one.id)}
                focusable={selection.current === undefined ? i === 0 : one.id === selection.current}
                onClick={(event) =>
                  setSelection((last) =>
                    click(last, ids, one.id, { extend: event.shiftKey, toggle: event.ctrlKey || event.metaKey }),
                  )
                }
              />
            ))}
          </ul>
          {passing.length > most && (
            <button type="button" class="quiet" onClick={() => setMost(most + kShownAtFirst)}>
              Show more of {count(passing.length)}
            </button>
          )}
        </>
      )}
    </section>
  );
}
