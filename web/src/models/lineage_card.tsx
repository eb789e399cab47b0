// SPDX-License-Identifier: Apache-2.0
// Where a version comes from: data, recipe, run, parent.
import { lineageRows } from './choice';

export function LineageCard({ lineage }: { lineage: Record<string, unknown> }) {
  const rows = lineageRows(lineage);
  if (rows.length === 0) return null;
  return (
    <section class="card" aria-labelledby="lineage-title">
      <h2 id="lineage-title">Lineage</h2>
      <dl class="facts facts-model facts-plain">
        {rows
          .filter((row) => !row.long)
          .map((row) => (
            <div key={row.name}>
              <dt>{row.name}</dt>
              <dd class="clip" title={row.value}>
                {row.value}
              </dd>
            </div>
          ))}
      </dl>
      {rows
        .filter((row) => row.long)
        .map((row) => (
          <details key={row.name}>
            <summary>{row.name}</summary>
            <pre tabIndex={0}>{row.value}</pre>
          </details>
        ))}
    </section>
  );
}
