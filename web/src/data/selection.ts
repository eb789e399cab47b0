// SPDX-License-Identifier: Apache-2.0
// Which of the waiting images are chosen, and how keys and clicks change that.
import type { Upload } from '../api/data';

export interface Selection {
  chosen: ReadonlySet<string>;
  /** Where the keyboard is. */
  current: string | undefined;
}

export const kNothing: Selection = { chosen: new Set(), current: undefined };

const only = (id: string): Selection => ({ chosen: new Set([id]), current: id });

/** A click; `extend` (Shift) takes everything from the current one to it, `toggle` (Ctrl) adds or removes it alone. */
export function click(
  selection: Selection,
  ids: string[],
  id: string,
  { extend, toggle }: { extend: boolean; toggle: boolean },
): Selection {
  const from = selection.current === undefined ? -1 : ids.indexOf(selection.current);
  const to = ids.indexOf(id);
  if (extend && from >= 0 && to >= 0) {
    const range = ids.slice(Math.min(from, to), Math.max(from, to) + 1);
    return { chosen: new Set([...selection.chosen, ...range]), current: id };
  }
  if (!toggle) return only(id);
  const chosen = new Set(selection.chosen);
  if (!chosen.delete(id)) chosen.add(id);
  return { chosen, current: id };
}

/** Where an arrow key leads in a grid with `columns`; undefined for other keys. */
export function arrow(key: string, index: number, count: number, columns: number): number | undefined {
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  if (by === undefined) return undefined;
  const next = index + by;
  return next < 0 || next >= count ? index : next;
}

/** The label of a number key: 1 to 9 are the first nine, 0 is the tenth. */
export function labelOfKey(key: string, labels: string[]): string | undefined {
  return /^[0-9]$/.test(key) ? labels[(Number(key) + 9) % 10] : undefined;
}

/** After `done` were labelled: the next image without a label behind them, else the next one, else nothing. */
export function nextAfter(uploads: Upload[], done: ReadonlySet<string>): Selection {
  const last = uploads.findLastIndex((one) => done.has(one.id));
  const open = (one: Upload) => !one.label && !done.has(one.id);
  const next = uploads.slice(last + 1).find(open) ?? uploads.find(open);
  return next ? only(next.id) : kNothing;
}

/** Without images that are gone. */
export function prune(selection: Selection, ids: ReadonlySet<string>): Selection {
  const chosen = new Set([...selection.chosen].filter((id) => ids.has(id)));
  const current = selection.current !== undefined && ids.has(selection.current) ? selection.current : undefined;
  if (chosen.size === selection.chosen.size && current === selection.current) return selection;
  return { chosen, current };
}
