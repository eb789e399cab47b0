// SPDX-License-Identifier: Apache-2.0
// A list that shows its first entries, and the rest when asked.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

interface Props<T> {
  items: T[];
  shown: number;
  class?: string;
  render: (item: T, index: number) => ComponentChildren;
}

export function FoldingList<T>({ items, shown, class: name, render }: Props<T>) {
  const [all, setAll] = useState(false);
  const some = all ? items : items.slice(0, shown);
  return (
    <>
      <ul class={name}>{some.map(render)}</ul>
      {items.length > shown && (
        <button type="button" class="quiet" onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show all ${items.length}`}
        </button>
      )}
    </>
  );
}
