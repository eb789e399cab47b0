// SPDX-License-Identifier: Apache-2.0
// Counts by name as bars; each may be made of parts.
import { count } from '../format';

export interface CountRow {
  name: string;
  /** In the order of `parts`. */
  counts: number[];
}

interface Props {
  rows: CountRow[];
  /** Names of the parts, for the key; one part needs none. */
  parts: string[];
  label: string;
}

const total = (row: CountRow) => row.counts.reduce((sum, n) => sum + n, 0);

export function CountBars({ rows, parts, label }: Props) {
  const most = Math.max(1, ...rows.map(total));
  const words = (row: CountRow) =>
    parts.length > 1 ? row.counts.map((n, i) => `${parts[i]} ${count(n)}`).join(', ') : count(total(row));
  return (
    <div class="count-bars">
      {parts.length > 1 && (
        <p class="count-key muted" aria-hidden="true">
          {parts.map((part, i) => (
            <span key={part} class={`part-key part-${i}`}>
              {part}
            </span>
          ))}
        </p>
      )}
      <ul aria-label={label}>
        {rows.map((row) => (
          <li key={row.name} class="bar count-bar" title={`${row.name}: ${words(row)}`}>
            <span class="bar-label">{row.name}</span>
            <span class="bar-track" role="img" aria-label={`${row.name}: ${words(row)}`}>
              {row.counts.map((n, i) => (
                <span key={parts[i]} class={`part part-${i}`} style={{ width: `${(n / most) * 100}%` }} />
              ))}
            </span>
            <span class="bar-value nums" aria-hidden="true">
              {count(total(row))}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
