// SPDX-License-Identifier: Apache-2.0
// All versions of all models; one is chosen to be looked at.
import type { Loaded, Models, ModelSummary } from '../api/models';
import { percent, versionName, when } from '../format';
import { loadedOf, newestFirst, type Choice } from './choice';

interface Props {
  models: Models;
  shown: Choice | undefined;
  onChoose: (choice: Choice) => void;
}

/** Whether the server holds the version, and whether it is the one that answers for its model. */
function LoadState({ state, serves }: { state: Loaded | undefined; serves: boolean }) {
  if (serves) return <span class="tag tag-good">serving</span>;
  if (!state) return null;
  if (state.state !== 'ready') return <span class={state.reason ? 'tag' : 'tag tag-plain'}>{state.state}</span>;
  return <span class="tag tag-good">{state.default ? 'loaded, default' : 'loaded'}</span>;
}

function Rows({ model, models, shown, onChoose }: Props & { model: ModelSummary }) {
  const serves = (version: number) => models.serving?.name === model.name && models.serving.version === version;
  const best = Math.max(...model.versions.map((one) => one.test_accuracy ?? 0));
  return (
    <>
      {newestFirst(model).map((one) => {
        const state = loadedOf(models, { name: model.name, version: one.version });
        const current = shown?.name === model.name && shown.version === one.version;
        return (
          <tr key={one.version} class={current ? 'current' : undefined}>
            <th scope="row">
              <button
                type="button"
                class="link"
                aria-current={current ? 'true' : undefined}
                aria-label={`${model.name} ${versionName(one.version)}`}
                onClick={() => onChoose({ name: model.name, version: one.version })}
              >
                {versionName(one.version)}
              </button>
            </th>
            <td class="nums">
              {one.test_accuracy == null ? '–' : percent(one.test_accuracy)}
              {one.test_accuracy != null && best > 0 && (
                <span class="mini" aria-hidden="true">
                  <span style={{ width: `${one.test_accuracy * 100}%` }} />
                </span>
              )}
            </td>
            <td class="aliases">
              <LoadState state={state} serves={serves(one.version)} />
              {one.aliases.map((alias) => (
                <span key={alias} class={alias === 'champion' ? 'tag tag-accent' : 'tag tag-plain'}>
                  {alias}
                </span>
              ))}
              {state?.reason && <small class="load-reason">{state.reason}</small>}
            </td>
            <td class="nums muted created">{one.created && when(one.created)}</td>
          </tr>
        );
      })}
    </>
  );
}

export function VersionsCard(props: Props) {
  const { models } = props.models;
  return (
    <section class="card" aria-labelledby="versions-title" data-testid="versions-card">
      <h2 id="versions-title">Versions</h2>
      {models.length === 0 && (
        <p class="muted">
          There is no model yet. Train one in the <a href="#/training">Training</a> tab.
        </p>
      )}
      {models.map((model) => (
        <div key={model.name} class="model-versions">
          <h3>{model.name}</h3>
          <table class="scores versions">
            <thead>
              <tr>
                <th scope="col">Version</th>
                <th scope="col">Accuracy</th>
                <th scope="col">Aliases</th>
                <th scope="col" class="created">
                  Created
                </th>
              </tr>
            </thead>
            <tbody>
              <Rows {...props} model={model} />
            </tbody>
          </table>
        </div>
      ))}
    </section>
  );
}
