// SPDX-License-Identifier: Apache-2.0
// How much of something is done.

/** @param value 0 to 1; undefined while nobody knows */
export function ProgressBar({ value, label }: { value: number | undefined; label: string }) {
  const share = value === undefined ? undefined : Math.min(1, Math.max(0, value));
  return (
    <div
      class={share === undefined ? 'progress progress-unknown' : 'progress'}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share === undefined ? undefined : Math.round(share * 100)}
    >
      <span style={share === undefined ? undefined : { width: `${share * 100}%` }} />
    </div>
  );
}
