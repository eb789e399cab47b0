// SPDX-License-Identifier: Apache-2.0
// The labels that the chosen images can get, each with its key, and what else can be done with them.
import { useState } from 'preact/hooks';
import { count } from '../format';
import { Bin } from '../ui/icons';

const kKeys = 10;

interface Props {
  labels: string[];
  chosen: number;
  busy: boolean;
  onLabel: (label: string) => void;
  onDelete: () => void;
  onAll: () => void;
}

/** For labels beyond the number keys: typed, with the known ones suggested. */
function TypedLabel({ onLabel, disabled }: { onLabel: (label: string) => void; disabled: boolean }) {
  const [text, setText] = useState('');
  return (
    <form
      class="typed-label"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) onLabel(text.trim());
        setText('');
      }}
    >
      <input
        type="text"
        list="known-labels"
        aria-label="Another label"
        placeholder="another label"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="quiet" disabled={disabled || !text.trim()}>
        Set
      </button>
    </form>
  );
}

export function LabelBar({ labels, chosen, busy, onLabel, onDelete, onAll }: Props) {
  const disabled = chosen === 0 || busy;
  return (
    <div class="label-bar">
      <p class="muted" id="label-help">
        {chosen === 0 ? 'Choose an image, then its label by click or number key.' : `${count(chosen)} chosen.`}
      </p>
      <div class="label-buttons" role="group" aria-labelledby="label-help">
        {labels.slice(0, kKeys).map((label, i) => (
          <button key={label} type="button" class="label-button" disabled={disabled} onClick={() => onLabel(label)}>
            <kbd>{(i + 1) % kKeys}</kbd>
            {label}
          </button>
        ))}
        {(labels.length > kKeys || labels.length === 0) && <TypedLabel onLabel={onLabel} disabled={disabled} />}
        <span class="label-rest">
          <button type="button" class="quiet" onClick={onAll}>
            Choose all
          </button>
          <button type="button" class="quiet with-icon" disabled={disabled} onClick={onDelete}>
            <Bin />
            Delete
          </button>
        </span>
      </div>
    </div>
  );
}
