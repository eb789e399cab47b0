// SPDX-License-Identifier: Apache-2.0
// Why the model said so: the heat map of one class over the image.
import { useCallback, useMemo, useState } from 'preact/hooks';
import { explain, type Explanation } from '../api/server';
import { percent } from '../format';
import { ErrorNote } from '../ui/error_note';
import { useLoad } from '../ui/load';
import { heatOverlay } from './heat';
import type { Item } from './queue';

interface Shown {
  answer: Explanation;
  /** Width over height of the part of the image that the model sees: all of it, or its middle. */
  shape: number | undefined;
}

/** The server draws its overlay over exactly the part that the model sees, so its shape tells that part's. */
async function load(file: File, label: string, signal: AbortSignal): Promise<Shown> {
  const answer = await explain(file, label, signal);
  const picture = new Image();
  picture.src = answer.overlay;
  const seen = await picture.decode().then(
    () => true,
    () => false,
  );
  return { answer, shape: seen ? picture.naturalWidth / picture.naturalHeight : undefined };
}

function Faithfulness({ scores }: { scores: NonNullable<Explanation['faithfulness']> }) {
  return (
    <div data-testid="faithfulness">
      <dl class="stats">
        <div>
          <dt>Deletion</dt>
          <dd class="nums">{scores.deletion.toFixed(3)}</dd>
        </div>
        <div>
          <dt>Insertion</dt>
          <dd class="nums">{scores.insertion.toFixed(3)}</dd>
        </div>
      </dl>
      <p class="muted caption">
        How far to trust the map: without its warm places the class should go (small deletion), with them alone it
        should come (large insertion).
      </p>
    </div>
  );
}

/** Below this width an image is enlarged with its pixels kept square. */
const kTinyPx = 128;

interface Props {
  item: Item;
  labels: string[];
  predicted: string;
}

export function ExplanationView({ item, labels, predicted }: Props) {
  const [label, setLabel] = useState(predicted);
  const [opacity, setOpacity] = useState(60);
  const [tiny, setTiny] = useState(false);
  const ask = useCallback((signal: AbortSignal) => load(item.file, label, signal), [item.file, label]);
  const { data, error } = useLoad(ask);
  const answer = data?.answer;
  const heat = useMemo(() => answer && heatOverlay(answer.heatmap), [answer]);
  return (
    <section class="explanation" aria-label="Explanation" data-testid="explanation">
      <div class="explanation-picture" style={data?.shape ? { aspectRatio: String(data.shape) } : undefined}>
        <img
          src={item.url}
          alt={`Uploaded image ${item.file.name}`}
          class={tiny ? 'pixelated' : undefined}
          onLoad={(event) => setTiny(event.currentTarget.naturalWidth < kTinyPx)}
        />
        {heat && <img src={heat} alt={`Heat map for ${label}`} class="heat" style={{ opacity: opacity / 100 }} />}
      </div>
      <div class="explanation-words">
        <p class="muted">
          {answer
            ? `Warm places spoke for “${answer.class}” (${percent(answer.confidence)}). ${answer.method}, layer ${answer.layer}.`
            : error
              ? ''
              : 'Looking for the places that counted…'}
        </p>
        {answer?.faithfulness && <Faithfulness scores={answer.faithfulness} />}
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
