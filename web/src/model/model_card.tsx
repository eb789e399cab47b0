// SPDX-License-Identifier: Apache-2.0
// Which model answers, and how good it was on the test images.
import type { ModelInfo, TestReport } from '../api/server';
import { count, percent, short, versionName, when } from '../format';
import { recipeName, shortReference } from '../training/progress';
import { limitsOf } from './abstention';

function Accuracy({ test }: { test: TestReport }) {
  const range = test.accuracy_interval;
  return (
    <>
      <div class="headline">
        <p class="headline-number nums" data-testid="test-accuracy">
          {percent(test.accuracy)}
        </p>
        <p class="muted">
          test accuracy on {count(test.n)} images
          {range && (
            <>
              <br />
              95 % interval {(range.low * 100).toFixed(1)} to {percent(range.high)}
            </>
          )}
        </p>
      </div>
      {range && (
        <div class="interval" aria-hidden="true">
          <span
            class="interval-range"
            style={{ left: `${range.low * 100}%`, width: `${(range.high - range.low) * 100}%` }}
          />
          <span class="interval-fill" style={{ width: `${test.accuracy * 100}%` }} />
        </div>
      )}
      <dl class="stats stats-three">
        <div>
          <dt>Precision</dt>
          <dd class="nums">{percent(test.macro_precision)}</dd>
        </div>
        <div>
          <dt>Recall</dt>
          <dd class="nums">{percent(test.macro_recall)}</dd>
        </div>
        <div>
          <dt>F1</dt>
          <dd class="nums">{percent(test.macro_f1)}</dd>
        </div>
      </dl>
      <p class="muted caption">macro averages: every class counts the same</p>
    </>
  );
}

/** The rows of the fact list, without those the package does not know. */
function factsOf(model: ModelInfo): [string, string][] {
  const lineage = (key: string) => {
    const value = model.lineage?.[key];
    return typeof value === 'string' || typeof value === 'number' ? shortReference(String(value)) : undefined;
  };
  const rows: [string, string | undefined][] = [
    ['Architecture', model.architecture],
    ['Parameters', model.parameters == null ? undefined : count(model.parameters)],
    ['Multiply-adds', model.macs == null ? undefined : short(model.macs)],
    ...limitsOf(model.abstention),
    ['Input', `${model.input.width} × ${model.input.height}`],
    ['Dataset', lineage('dataset')],
    ['Recipe', recipeName(model.lineage?.recipe)],
    ['Run', lineage('run')],
    ['Created', model.created && when(model.created)],
    ['Digest', model.digest?.replace(/^sha256:/, '').slice(0, 12)],
  ];
  return rows.filter((row): row is [string, string] => Boolean(row[1]));
}

export function ModelCard({ model }: { model: ModelInfo }) {
  return (
    <section class="card model" aria-labelledby="model-title">
      <div class="model-head">
        <h2 id="model-title">{model.name}</h2>
        <span class="version">{versionName(model.version)}</span>
      </div>
      {model.test ? (
        <Accuracy test={model.test} />
      ) : (
        <p class="muted">This version came without a test report. Measure it with `imago evaluate`.</p>
      )}
      <dl class="facts facts-model">
        {factsOf(model).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="clip" title={name === 'Digest' ? model.digest : value}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
