// SPDX-License-Identifier: Apache-2.0
// What a confusion matrix says, in numbers ready to draw.

export interface Cell {
  row: number;
  column: number;
  count: number;
  /** Of all test images whose true class is `row`; 0 when there are none. */
  share: number;
}

export function cellsOf(confusion: number[][]): Cell[] {
  return confusion.flatMap((counts, row) => {
    const total = counts.reduce((sum, n) => sum + n, 0);
    return counts.map((count, column) => ({ row, column, count, share: total > 0 ? count / total : 0 }));
  });
}

/** The pairs mistaken most often, largest count first, at most `limit`, none with a count of 0. */
export function worstPairs(cells: Cell[], limit: number): Cell[] {
  return cells
    .filter((cell) => cell.row !== cell.column && cell.count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, limit);
}

/**
 * How strongly a cell is tinted, 0 to 1. Hits are tinted by their share; misses against the worst one, so that the
 * pattern of mistakes stays visible in a good model too.
 */
export function tint(cell: Cell, worstMiss: number): number {
  if (cell.row === cell.column) return 0.08 + 0.92 * cell.share;
  return worstMiss > 0 ? (cell.share / worstMiss) ** 0.75 * 0.9 : 0;
}

/** Where an arrow key leads within an n by n matrix; undefined for other keys. */
export function step(key: string, row: number, column: number, n: number): [number, number] | undefined {
  const moves: Record<string, [number, number]> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
  };
  const move = moves[key];
  if (!move) return undefined;
  const clamp = (i: number) => Math.min(n - 1, Math.max(0, i));
  return [clamp(row + move[0]), clamp(column + move[1])];
}
