// SPDX-License-Identifier: Apache-2.0
// The confusion matrix as a heat map. Pointer or arrow keys choose a cell; the card around it says what it means.
import { useMemo } from 'preact/hooks';
import { cellsOf, step, tint, type Cell } from './confusion';

/** More labels than this would be too small to read; the readout still names every cell. */
const kMostNamed = 24;
const kCell = 30;
const kGap = 2;
const kLetter = 6.9; // average width of a label's letter

interface Props {
  labels: string[];
  confusion: number[][];
  active: Cell | undefined;
  onActive: (cell: Cell | undefined) => void;
}

export function ConfusionMatrix({ labels, confusion, active, onActive }: Props) {
  const n = confusion.length;
  const cells = useMemo(() => cellsOf(confusion), [confusion]);
  const named = n <= kMostNamed;
  const room = (label = '') => (named ? Math.min(100, label.length * kLetter) : 0);
  const margin = Math.max(...labels.map(room)) + 10;
  const top = margin * Math.SQRT1_2 + 6;
  // The last column's label leans out over the right edge.
  const right = Math.max(4, room(labels.at(-1)) * Math.SQRT1_2 - kCell / 2 + 8);
  const at = (row: number, column: number) => cells[row * n + column];

  // Hundreds of classes make tens of thousands of cells, which moving the cursor must not draw again.
  const drawnCells = useMemo(() => {
    const worst = cells.reduce((most, { row, column, share }) => (row === column ? most : Math.max(most, share)), 0);
    return cells.map((cell, index) => {
      const strength = tint(cell, worst);
      const kind = cell.row === cell.column ? 'hit' : 'miss';
      return (
        <g key={index} class={`${kind}${strength > 0.55 ? ' strong' : ''}`}>
          <rect
            data-cell={index}
            x={margin + cell.column * kCell + kGap / 2}
            y={top + cell.row * kCell + kGap / 2}
            width={kCell - kGap}
            height={kCell - kGap}
            rx={4}
            fill-opacity={strength.toFixed(3)}
          />
          {n <= 12 && cell.count > 0 && (
            <text
              x={margin + (cell.column + 0.5) * kCell}
              y={top + (cell.row + 0.5) * kCell + 3.3}
              text-anchor="middle"
            >
              {cell.count}
            </text>
          )}
        </g>
      );
    });
  }, [cells, margin, top]);

  const cellUnder = (target: EventTarget | null) => {
    const index = target instanceof SVGElement ? target.dataset.cell : undefined;
    return index === undefined ? undefined : cells[Number(index)];
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const next = step(event.key, active?.row ?? 0, active?.column ?? 0, n);
    if (!next) return;
    event.preventDefault();
    onActive(at(...next));
  };

  return (
    <svg
      class="confusion"
      viewBox={`0 0 ${margin + n * kCell + right} ${top + n * kCell}`}
      role="img"
      aria-label={`Confusion matrix of ${n} classes. Use the arrow keys to read its cells.`}
      tabIndex={0}
      onFocus={() => active ?? onActive(at(0, 0))}
      onKeyDown={onKeyDown}
      onPointerMove={(event) => onActive(cellUnder(event.target) ?? active)}
      onPointerDown={(event) => onActive(cellUnder(event.target) ?? active)}
    >
      {(named ? labels : []).map((label, i) => (
        <g key={label} class="confusion-labels">
          <text
            class={active?.row === i ? 'on' : undefined}
            x={margin - 8}
            y={top + (i + 0.5) * kCell + 3.5}
            text-anchor="end"
          >
            {label}
          </text>
          <text
            class={active?.column === i ? 'on' : undefined}
            transform={`translate(${margin + (i + 0.5) * kCell} ${top - 6}) rotate(-45)`}
          >
            {label}
          </text>
        </g>
      ))}
      {drawnCells}
      {active && (
        <rect
          class="confusion-cursor"
          x={margin + active.column * kCell}
          y={top + active.row * kCell}
          width={kCell}
          height={kCell}
          rx={5}
        />
      )}
    </svg>
  );
}
