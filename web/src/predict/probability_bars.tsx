// SPDX-License-Identifier: Apache-2.0
// One bar per class, by probability or in the model's class order.
import { useState } from 'preact/hooks';
import { percent } from '../format';
import { byProbability, type Ranked } from './ranking';

const kShownAtFirst = 12;

function Bar({ row }: { row: Ranked }) {
  return (
    <li class={row.rank === 0 ? 'bar bar-top' : 'bar'}>
      <span class="bar-label" title={row.label}>
        {row.label}
      </span>
      <span
        class="bar-track"
        role="meter"
        aria-label={row.label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={row.probability * 100}
        aria-valuetext={percent(row.probability)}
      >
        <span class="bar-fill" style={{ width: `${row.probability * 100}%` }} />
      </span>
      <span class="bar-value nums">{percent(row.probability)}</span>
    </li>
  );
}

export function ProbabilityBars({ rows }: { rows: Ranked[] }) {
  const [sorted, setSorted] = useState(true);
  const [all, setAll] = useState(false);
  const ordered = sorted ? byProbability(rows) : rows;
  const shown = all ? ordered : ordered.slice(0, kShownAtFirst);
  return (
    <div class="bars">
      <div class="bars-head">
        <h3>{rows.length} classes</h3>
        <div class="segmented" role="group" aria-label="Order of the bars">
          <button type="button" aria-pressed={sorted} onClick={() => setSorted(true)}>
            Most likely first
          </button>
          <button type="button" aria-pressed={!sorted} onClick={() => setSorted(false)}>
            Class order
          </button>
        </div>
      </div>
      <ul data-testid="bars">
        {shown.map((row) => (
          <Bar key={row.label} row={row} />
        ))}
      </ul>
      {ordered.length > kShownAtFirst && (
        <button type="button" class="quiet" onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show all ${ordered.length}`}
        </button>
      )}
    </div>
  );
}
