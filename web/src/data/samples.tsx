// SPDX-License-Identifier: Apache-2.0
// A few images of a data set, of all classes or of one.
import { useCallback, useState } from 'preact/hooks';
import { getSamples, type Dataset } from '../api/data';
import { ApiImage } from '../ui/api_image';
import { ErrorNote } from '../ui/error_note';
import { useLoad } from '../ui/load';
import { splitsOf } from './insights';

const kLimit = 24;

export function Samples({ dataset }: { dataset: Dataset }) {
  const [label, setLabel] = useState('');
  const [split, setSplit] = useState('');
  const version = String(dataset.version);
  const load = useCallback(
    (signal: AbortSignal) => getSamples(dataset.name, { version, label, split, limit: kLimit }, signal),
    [dataset.name, version, label, split],
  );
  const { data, error } = useLoad(load);
  return (
    <>
      <div class="list-head samples-head">
        <h3>Samples</h3>
        <label class="field field-inline">
          <span class="visually-hidden">Class of the samples</span>
          <select value={label} onChange={(event) => setLabel(event.currentTarget.value)}>
            <option value="">all classes</option>
            {dataset.labels.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
        <label class="field field-inline">
          <span class="visually-hidden">Split of the samples</span>
          <select value={split} onChange={(event) => setSplit(event.currentTarget.value)}>
            <option value="">all splits</option>
            {splitsOf(dataset).map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
      </div>
      {error && <ErrorNote error={error} />}
      <ul class="tiles tiles-still" data-testid="samples">
        {data?.map((one) => (
          <li key={one.url + one.path} class="tile" title={`${one.path}, ${one.split}, ${one.width} × ${one.height}`}>
            <ApiImage url={one.url} alt={`${one.label}: ${one.path}`} width={one.width} />
            <span class="tile-label clip">{one.label}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
