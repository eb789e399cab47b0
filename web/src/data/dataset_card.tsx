// SPDX-License-Identifier: Apache-2.0
// What is in a data set: classes, how many images of each, how large, which files were refused.
import { useCallback, useState } from 'preact/hooks';
import { getDataset, type Dataset, type DatasetSummary } from '../api/data';
import { CountBars } from '../charts/count_bars';
import { count } from '../format';
import { ErrorNote } from '../ui/error_note';
import { FoldingList } from '../ui/folding_list';
import { useLoad } from '../ui/load';
import { distribution, imagesIn, imbalance, splitsOf, spreadInWords } from './insights';
import { Samples } from './samples';

function Figures({ dataset }: { dataset: Dataset }) {
  const splits = splitsOf(dataset);
  const total = splits.reduce((sum, split) => sum + imagesIn(dataset, split), 0);
  const rows = distribution(dataset);
  return (
    <>
      <dl class="stats stats-four">
        <div>
          <dt>Classes</dt>
          <dd class="nums" data-testid="class-count">
            {dataset.labels.length}
          </dd>
        </div>
        <div>
          <dt>Images</dt>
          <dd class="nums">
            {count(total)}
            <small>{splits.map((split) => `${split} ${count(imagesIn(dataset, split))}`).join(', ')}</small>
          </dd>
        </div>
        {dataset.sizes && (
          <div>
            <dt>Size</dt>
            <dd class="nums">
              {Math.round(dataset.sizes.width.median)} × {Math.round(dataset.sizes.height.median)}
              <small>
                {dataset.sizes.width.min === dataset.sizes.width.max &&
                dataset.sizes.height.min === dataset.sizes.height.max
                  ? 'all of them'
                  : `width ${spreadInWords(dataset.sizes.width)}; height ${spreadInWords(dataset.sizes.height)}`}
              </small>
            </dd>
          </div>
        )}
        <div>
          <dt>Balance</dt>
          <dd class="nums">
            {imbalance(rows).toFixed(1)} : 1<small>largest to smallest class</small>
          </dd>
        </div>
      </dl>
      <h3>Images of each class</h3>
      <CountBars rows={rows} parts={splits} label="Images of each class" />
    </>
  );
}

function Refused({ dataset }: { dataset: Dataset }) {
  if (dataset.refused_count === 0) return <p class="muted">No file was refused when it was imported.</p>;
  return (
    <>
      <p class="muted">
        {count(dataset.refused_count)} {dataset.refused_count === 1 ? 'file was' : 'files were'} refused
        {dataset.refused.length < dataset.refused_count && `; the first ${dataset.refused.length}`}:
      </p>
      <FoldingList
        class="refused"
        items={dataset.refused}
        shown={5}
        render={(one) => (
          <li key={one.path}>
            <span class="clip" title={one.path}>
              {one.path}
            </span>
            <span>{one.reason}</span>
          </li>
        )}
      />
    </>
  );
}

export function DatasetCard({ datasets }: { datasets: DatasetSummary[] }) {
  const [wanted, setWanted] = useState<string>();
  const [version, setVersion] = useState<string>();
  const name = datasets.find((one) => one.name === wanted)?.name ?? datasets[0]?.name;
  // A new version, made by a retraining, shows as a new summary.
  const newest = datasets.find((one) => one.name === name)?.version;
  const load = useCallback((signal: AbortSignal) => getDataset(name ?? '', version, signal), [name, version, newest]);
  const { data, error } = useLoad(name ? load : undefined);
  return (
    <section class="card" aria-labelledby="dataset-title" data-testid="dataset-card">
      <div class="list-head">
        <h2 id="dataset-title">Dataset insights</h2>
        {datasets.length > 0 && (
          <span class="form-row">
            <label class="field field-inline">
              <span class="visually-hidden">Data set</span>
              <select
                value={name}
                onChange={(event) => {
                  setVersion(undefined);
                  setWanted(event.currentTarget.value);
                }}
              >
                {datasets.map((one) => (
                  <option key={one.name} value={one.name}>
                    {one.name}
                  </option>
                ))}
              </select>
            </label>
            {data && data.versions.length > 1 && (
              <label class="field field-inline">
                <span class="visually-hidden">Version</span>
                <select value={String(data.version)} onChange={(event) => setVersion(event.currentTarget.value)}>
                  {data.versions.map((one) => (
                    <option key={one.version} value={String(one.version)}>
                      {shortVersion(one.version)}, {count(one.images)} images
                    </option>
                  ))}
                </select>
              </label>
            )}
          </span>
        )}
      </div>
      {datasets.length === 0 && (
        <p class="muted">
          There is no data set yet. Import one with <code>imago data import FOLDER --name NAME</code>.
        </p>
      )}
      {error && <ErrorNote error={error} />}
      {data && (
        <div class="insights">
          <Figures dataset={data} />
          <Samples key={`${data.name} ${data.version}`} dataset={data} />
          <h3>Refused files</h3>
          <Refused dataset={data} />
        </div>
      )}
    </section>
  );
}

/** A version is a number or a digest, which its first letters tell well enough. */
function shortVersion(version: string | number): string {
  return String(version).slice(0, 12);
}
