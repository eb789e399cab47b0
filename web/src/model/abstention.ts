// SPDX-License-Identifier: Apache-2.0
// When a model says that it does not know, in words.
import type { Abstention, Prediction } from '../api/server';
import { percent } from '../format';

/** Why an answer is not to be relied on; nothing for one that is. */
export function doubtOf(answer: Prediction): string | undefined {
  if (!answer.abstained) return undefined;
  return answer.abstained_because === 'energy'
    ? 'Not sure: unlike the images it learned from'
    : 'Not sure: below the model’s limit';
}

function confidenceLimit(limits: number[]): string | undefined {
  if (limits.length === 0) return undefined;
  const [least, most] = [Math.min(...limits), Math.max(...limits)];
  return least === most ? `${percent(least)} confident` : `${percent(least)} to ${percent(most)}, by class`;
}

/** The limits as names and values, without those that are not set. */
export function limitsOf(abstention: Abstention | null | undefined): [string, string | undefined][] {
  if (!abstention) return [];
  const { least_confidence: least, most_energy: energy } = abstention;
  return [
    ['Not sure below', least === null ? undefined : confidenceLimit([least].flat())],
    ['Not sure above', energy === null ? undefined : `energy ${energy.toFixed(2).replace('-', '−')}`],
  ];
}
