// SPDX-License-Identifier: Apache-2.0
// The fourth page: every version of every model, its evidence, and which one serves.
import { useCallback, useState } from 'preact/hooks';
import { asApiError } from '../api/client';
import { getModels, getVersion } from '../api/models';
import { usePolling } from '../poll';
import type { ServerState } from '../server/server_state';
import { ErrorNote } from '../ui/error_note';
import { useLoad } from '../ui/load';
import { shownChoice, type Choice } from './choice';
import { MoveCard } from './move_card';
import { VersionsCard } from './versions_card';
import { VersionView } from './version_view';

export function ModelsPage({ server }: { server: ServerState }) {
  const models = usePolling(getModels, 8000);
  const [wanted, setWanted] = useState<Choice>();
  const shown = models.data && shownChoice(models.data, wanted);
  const { name, version } = shown ?? {};
  const load = useCallback((signal: AbortSignal) => getVersion(name ?? '', version ?? 0, signal), [name, version]);
  const detail = useLoad(shown ? load : undefined);
  const model = models.data?.models.find((one) => one.name === name);
  return (
    <>
      <h1 class="title page-title">Models</h1>
      {models.error && <ErrorNote error={asApiError(models.error)} />}
      <div class="columns columns-even">
        <div class="column">
          {models.data && <VersionsCard models={models.data} shown={shown} onChoose={setWanted} />}
        </div>
        <div class="column">
          {shown && model && (
            <MoveCard
              model={model}
              shown={shown}
              onMoved={() => {
                // What was shown stays shown, whichever version serves from now on.
                setWanted(shown);
                models.refresh();
                server.status.refresh();
              }}
            />
          )}
        </div>
      </div>
      {detail.error && <ErrorNote error={detail.error} />}
      {detail.data && <VersionView version={detail.data} />}
    </>
  );
}
