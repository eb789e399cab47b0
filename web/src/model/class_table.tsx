// SPDX-License-Identifier: Apache-2.0
// Precision, recall and F1 of each class.
import type { ClassScore } from '../api/server';
import { count } from '../format';

function Score({ value }: { value: number }) {
  return (
    <td class="nums">
      {(value * 100).toFixed(1)}
      <span class="mini" aria-hidden="true">
        <span style={{ width: `${value * 100}%` }} />
      </span>
    </td>
  );
}

export function ClassTable({ classes }: { classes: ClassScore[] }) {
  return (
    <section class="card" aria-labelledby="classes-title">
      <h2 id="classes-title">Class by class</h2>
      <p class="muted">In percent, on the test images.</p>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="classes-title">
        <table class="scores">
          <thead>
            <tr>
              <th scope="col">Class</th>
              <th scope="col">Precision</th>
              <th scope="col">Recall</th>
              <th scope="col">F1</th>
              <th scope="col">Images</th>
            </tr>
          </thead>
          <tbody>
            {classes.map((one) => (
              <tr key={one.label}>
                <th scope="row">{one.label}</th>
                <Score value={one.precision} />
                <Score value={one.recall} />
                <Score value={one.f1} />
                <td class="nums">{count(one.support)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
