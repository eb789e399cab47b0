// SPDX-License-Identifier: Apache-2.0
// The confusion matrix with its reading: the cell under the pointer, and the pairs mistaken most often.
import { useState } from 'preact/hooks';
import type { TestReport } from '../api/server';
import { count, percent } from '../format';
import { cellsOf, worstPairs, type Cell } from './confusion';
import { ConfusionMatrix } from './confusion_matrix';

export function ConfusionCard({ test }: { test: TestReport }) {
  const [active, setActive] = useState<Cell>();
  const labels = test.classes.map((one) => one.label);
  const name = (i: number) => labels[i] ?? `class ${i}`;
  return (
    <section class="card" aria-labelledby="confusion-title">
      <h2 id="confusion-title">What it mixes up</h2>
      <p class="muted">
        Rows: the true class. Columns: what the model said. <span class="key key-hit">right</span>{' '}
        <span class="key key-miss">wrong</span>
      </p>
      <ConfusionMatrix labels={labels} confusion={test.confusion} active={active} onActive={setActive} />
      <p class="readout" role="status" data-testid="confusion-readout">
        {active ? (
          <>
            <strong class="nums">{count(active.count)}</strong> images of <strong>{name(active.row)}</strong>{' '}
            {active.row === active.column ? 'recognised' : 'taken for '}
            {active.row !== active.column && <strong>{name(active.column)}</strong>}, {percent(active.share)} of them
          </>
        ) : (
          <span class="muted">Point at a cell, or move with the arrow keys, to read it.</span>
        )}
      </p>
      <h3>Most frequent mistakes</h3>
      <ol class="pairs">
        {worstPairs(cellsOf(test.confusion), 3).map((cell) => (
          <li key={`${cell.row} ${cell.column}`}>
            <span>
              {name(cell.row)} taken for {name(cell.column)}
            </span>
            <span class="nums">{count(cell.count)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
