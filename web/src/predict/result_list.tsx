// SPDX-License-Identifier: Apache-2.0
// All images of this visit, one row each; a row opens its result.
import { latency, percent } from '../format';
import { Preview } from './preview';
import type { Item } from './queue';

function outcome(item: Item) {
  if (item.answer) {
    return (
      <>
        <span class="row-class">
          {item.answer.prediction}
          {item.answer.abstained && <span class="tag">not sure</span>}
        </span>
        <span class="row-confidence nums">{percent(item.answer.confidence)}</span>
        <span class="row-latency nums muted">{latency(item.answer.latency_seconds)}</span>
      </>
    );
  }
  if (item.error) return <span class="row-error">{item.error.message}</span>;
  return <span class="muted working">waiting…</span>;
}

interface Props {
  items: Item[];
  selected: number | undefined;
  onSelect: (id: number) => void;
  onClear: () => void;
}

export function ResultList({ items, selected, onSelect, onClear }: Props) {
  const done = items.filter((item) => item.state !== 'waiting').length;
  const refused = items.filter((item) => item.state === 'failed').length;
  return (
    <section class="card list" aria-labelledby="list-title">
      <div class="list-head">
        <h2 id="list-title">Images</h2>
        <span class="muted nums" role="status">
          {done} of {items.length} done{refused > 0 && `, ${refused} refused`}
        </span>
        <button type="button" class="quiet" onClick={onClear}>
          Clear
        </button>
      </div>
      <ul data-testid="results">
        {items.map((item) => (
          <li key={item.id}>
            <button
              type="button"
              class="row"
              aria-current={item.id === selected ? 'true' : undefined}
              onClick={() => onSelect(item.id)}
            >
              <Preview item={item} alt="" size="small" />
              <span class="row-name clip">{item.file.name}</span>
              {outcome(item)}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
