// SPDX-License-Identifier: Apache-2.0
// Starts a training: which data set, which recipe, how long.
import { useState } from 'preact/hooks';
import { getDatasets } from '../api/data';
import { getRecipes, startTraining, type Recipe } from '../api/jobs';
import { useAction } from '../ui/action';
import { ErrorNote } from '../ui/error_note';
import { useLoad } from '../ui/load';

const numberOf = (text: string) => (text.trim() === '' ? undefined : Number(text));

interface NumberFieldProps {
  name: string;
  value: string;
  /** The recipe's, which an empty box stands for. */
  own: number | null | undefined;
  onValue: (value: string) => void;
}

function NumberField({ name, value, own, onValue }: NumberFieldProps) {
  return (
    <label class="field">
      <span>{name}</span>
      <input
        type="number"
        min={1}
        placeholder={own ? `${own}, the recipe’s own` : 'recipe’s own'}
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </label>
  );
}

interface RecipeFieldProps {
  recipes: Recipe[];
  about: string | undefined;
  value: string;
  onValue: (value: string) => void;
}

function RecipeField({ recipes, about, value, onValue }: RecipeFieldProps) {
  return (
    <label class="field">
      <span>Recipe</span>
      <input
        type="text"
        list="recipes"
        required
        value={value}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      <datalist id="recipes">
        {recipes.map((one) => (
          <option key={one.name} value={one.name}>
            {one.description}
          </option>
        ))}
      </datalist>
      {about && <small class="muted">{about}</small>}
    </label>
  );
}

interface Props {
  busy: boolean;
  onStarted: () => void;
}

export function StartCard({ busy, onStarted }: Props) {
  const datasets = useLoad(getDatasets);
  const recipes = useLoad(getRecipes);
  const [dataset, setDataset] = useState('');
  const [recipe, setRecipe] = useState('quick');
  const [epochs, setEpochs] = useState('');
  const [minutes, setMinutes] = useState('');
  const action = useAction();
  const names = datasets.data?.map((one) => one.name) ?? [];
  const chosen = dataset || names[0] || '';
  const known = recipes.data?.find((one) => one.name === recipe);
  const start = async () => {
    const wish = { dataset: chosen || undefined, recipe: recipe.trim() };
    const limits = { epochs: numberOf(epochs), max_minutes: numberOf(minutes) };
    if (await action.run(() => startTraining({ ...wish, ...limits }))) onStarted();
  };
  return (
    <section class="card" aria-labelledby="start-title" data-testid="start-card">
      <h2 id="start-title">New training</h2>
      {datasets.error && <ErrorNote error={datasets.error} />}
      {recipes.error && <ErrorNote error={recipes.error} />}
      {datasets.data?.length === 0 && (
        <p class="muted">
          There is no data set yet. Import one with <code>imago data import FOLDER --name NAME</code>.
        </p>
      )}
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          start();
        }}
      >
        <label class="field">
          <span>Data set</span>
          <select value={chosen} onChange={(event) => setDataset(event.currentTarget.value)}>
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <RecipeField recipes={recipes.data ?? []} about={known?.description} value={recipe} onValue={setRecipe} />
        <div class="field-pair">
          <NumberField name="Epochs" value={epochs} own={known?.epochs} onValue={setEpochs} />
          <NumberField name="Minutes at most" value={minutes} own={known?.max_minutes} onValue={setMinutes} />
        </div>
        <button type="submit" class="primary" disabled={action.busy || names.length === 0}>
          {busy ? 'Queue training' : 'Start training'}
        </button>
      </form>
      {action.error && <ErrorNote error={action.error} />}
    </section>
  );
}
