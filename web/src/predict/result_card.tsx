// SPDX-License-Identifier: Apache-2.0
// The chosen image and what the model says about it.
import { useState } from 'preact/hooks';
import type { Prediction } from '../api/server';
import { bytes, latency, percent, versionName } from '../format';
import { doubtOf } from '../model/abstention';
import { ErrorNote } from '../ui/error_note';
import { Warning } from '../ui/icons';
import { ExplanationView } from './explanation';
import { Preview } from './preview';
import { ProbabilityBars } from './probability_bars';
import type { Item } from './queue';
import { byProbability, rankClasses, type Ranked } from './ranking';

/** A probability under this leaves more to the other classes together than to the first one. */
const kUnsure = 0.5;

function Verdict({ answer, rows }: { answer: Prediction; rows: Ranked[] }) {
  const second = byProbability(rows)[1];
  const doubt = doubtOf(answer);
  return (
    <div class="verdict" aria-live="polite">
      <p class="verdict-class" data-testid="prediction">
        {answer.prediction}
      </p>
      <p class="verdict-confidence nums">
        <strong data-testid="confidence">{percent(answer.confidence)}</strong> confident
        {!doubt && answer.confidence < kUnsure && <span class="tag">unsure</span>}
      </p>
      {doubt && (
        <p class="doubt" data-testid="doubt">
          <Warning />
          {doubt}
        </p>
      )}
      {second && (
        <p class="muted">
          next: {second.label}, {percent(second.probability)}
        </p>
      )}
    </div>
  );
}

function Facts({ item, answer }: { item: Item; answer: Prediction }) {
  return (
    <dl class="facts">
      <div>
        <dt>Server took</dt>
        <dd class="nums" data-testid="latency">
          {latency(answer.latency_seconds)}
        </dd>
      </div>
      {item.roundTripSeconds !== undefined && (
        <div>
          <dt>Round trip</dt>
          <dd class="nums">{latency(item.roundTripSeconds)}</dd>
        </div>
      )}
      <div>
        <dt>Model</dt>
        <dd>
          {answer.model} {versionName(answer.model_version)}
        </dd>
      </div>
      <div>
        <dt>File</dt>
        <dd class="clip" title={item.file.name}>
          {item.file.name} <span class="muted">{bytes(item.file.size)}</span>
        </dd>
      </div>
    </dl>
  );
}

function Why({ item, answer, labels }: { item: Item; answer: Prediction; labels: string[] }) {
  const [open, setOpen] = useState(false);
  return (
    <div class="why">
      <button type="button" class="secondary" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? 'Hide the explanation' : 'Why?'}
      </button>
      {open && <ExplanationView item={item} labels={labels} predicted={answer.prediction} />}
    </div>
  );
}

export function ResultCard({ item, labels }: { item: Item; labels: string[] | undefined }) {
  const { answer, error } = item;
  const rows = answer ? rankClasses(answer, labels) : [];
  return (
    <article
      class={error ? 'card result result-failed' : 'card result'}
      aria-label={`Result for ${item.file.name}`}
      aria-busy={item.state === 'waiting'}
    >
      <div class="result-head">
        <Preview item={item} alt={`Uploaded image ${item.file.name}`} size="large" />
        {answer && (
          <div class="result-words">
            <Verdict answer={answer} rows={rows} />
            <Facts item={item} answer={answer} />
          </div>
        )}
        {error && <ErrorNote error={error} subject={item.file.name} />}
        {item.state === 'waiting' && <p class="muted working">Classifying {item.file.name}…</p>}
      </div>
      {answer && <Why key={item.id} item={item} answer={answer} labels={rows.map((row) => row.label)} />}
      {answer && <ProbabilityBars rows={rows} />}
    </article>
  );
}
