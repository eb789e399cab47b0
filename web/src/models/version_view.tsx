// SPDX-License-Identifier: Apache-2.0
// One version in full: how good it is, class by class, how it learned, where it comes from, what it is made of.
import { useMemo } from 'preact/hooks';
import type { VersionDetail } from '../api/models';
import { curvesOfHistory } from '../charts/series';
import { ClassTable } from '../model/class_table';
import { ConfusionCard } from '../model/confusion_card';
import { CurvesCard } from '../model/curves_card';
import { ModelCard } from '../model/model_card';
import { LayersCard } from './layers_card';
import { LineageCard } from './lineage_card';

export function VersionView({ version }: { version: VersionDetail }) {
  const history = version.report?.training?.history;
  const curves = useMemo(() => curvesOfHistory(history ?? []), [history]);
  const test = version.report?.test;
  return (
    <div class="version-view" data-testid="version-view">
      <div class="column">
        <ModelCard model={{ ...version, test: test ?? null }} />
        {version.lineage && <LineageCard lineage={version.lineage} />}
      </div>
      {test && <ConfusionCard test={test} />}
      {test && <ClassTable classes={test.classes} />}
      <CurvesCard curves={curves} />
      <LayersCard layers={version.layers ?? []} />
    </div>
  );
}
