// SPDX-License-Identifier: Apache-2.0
// Why the model said so: the heat map of one class over the image.
import { useCallback, useState } from 'preact/hooks';
import { explain } from '../api/server';
import { percent } from '../format';
import { ErrorNote } from '../ui/error_note';
import { useLoad } from '../ui/load';
import { heatOverlay } from './heat';
import type { Item } from './queue';

interface Props {
  item: Item;
  labels: string[];
  predicted: string;
}

export function ExplanationView({ item, labels, predicted }: Props) {
  const [label, setLabel] = useState(predicted);
  const [opacity, setOpacity] = useState(60);
  const load = useCallback((signal: AbortSignal) => explain(item.file, label, signal), [item.file, label]);
  const { data, error } = useLoad(load);
  const heat = data && heatOverlay(data.heatmap);
  return (
    <section class="explanation" aria-label="Explanation" data-testid="explanation">
      <div class="explanation-picture">
        <img src={item.url} alt={`Uploaded image ${item.file.name}`} class="pixelated" />
        {heat && <img src={heat} alt={`Heat map for ${label}`} class="heat" style={{ opacity: opacity / 100 }} />}
      </div>
      <div class="explanation-words">
        <p class="muted">
          {data
            ? `Warm places spoke for “${data.class}” (${percent(data.confidence)}). ${data.method}, layer ${data.layer}.`
            : error
              ? ''
              : 'Looking for the places that counted…'}
        </p>
        <label class="field">
          <span>Class to explain</span>
          <select value={label} onChange={(event) => setLabel(event.currentTarget.value)}>
            {labels.map((one) => (
              <option key={one} value={one}>
                {one === predicted ? `${one} (predicted)` : one}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>Strength of the overlay: {opacity}&#8239;%</span>
          <input
            type="range"
            min={0}
            max={100}
            step={5}
            value={opacity}
            onInput={(event) => setOpacity(Number(event.currentTarget.value))}
          />
        </label>
        {error && <ErrorNote error={error} />}
      </div>
    </section>
  );
}
