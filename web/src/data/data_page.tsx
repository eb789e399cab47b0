// SPDX-License-Identifier: Apache-2.0
// The second page: what the model learned from, and what it is to learn next.
import { useEffect } from 'preact/hooks';
import { asApiError } from '../api/client';
import { getDatasets, getUploads } from '../api/data';
import { usePolling } from '../poll';
import type { ServerState } from '../server/server_state';
import { useTraining } from '../training/use_training';
import { ErrorNote } from '../ui/error_note';
import { DatasetCard } from './dataset_card';
import { RetrainCard } from './retrain_card';
import { StagedCard } from './staged_card';
import { useTransfer } from './transfer';
import { UploadCard } from './upload_card';

/** The label box offers what is known already: by the server, by the model, by the data. */
function knownLabels(...lists: (string[] | undefined)[]): string[] {
  return lists.find((list) => list && list.length > 0) ?? [];
}

export function DataPage({ server }: { server: ServerState }) {
  const uploads = usePolling(getUploads, 10000);
  const datasets = usePolling(getDatasets, 15000);
  const training = useTraining();
  const { transfer, start, stop, clear } = useTransfer(uploads.refresh);
  const state = `${training.status?.job_id} ${training.status?.status}`;
  useEffect(() => {
    // A retraining that ended has taken uploads and made a version of the data set.
    uploads.refresh();
    datasets.refresh();
  }, [state]);
  const labels = knownLabels(uploads.data?.labels, server.status.data?.model?.labels, datasets.data?.[0]?.labels);
  return (
    <>
      <h1 class="title page-title">Data</h1>
      <div class="columns columns-even">
        <div class="column">
          <UploadCard labels={labels} transfer={transfer} onFiles={start} onStop={stop} onClear={clear} />
          {uploads.error && <ErrorNote error={asApiError(uploads.error)} />}
          {uploads.data && <StagedCard data={uploads.data} labels={labels} onChange={uploads.refresh} />}
          {uploads.data && <RetrainCard uploads={uploads.data} training={training} />}
        </div>
        <div class="column">
          {datasets.error && <ErrorNote error={asApiError(datasets.error)} />}
          {datasets.data && <DatasetCard datasets={datasets.data} />}
        </div>
      </div>
    </>
  );
}
