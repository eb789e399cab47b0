// SPDX-License-Identifier: Apache-2.0
// Training is the next step for somebody who is served by a model that came ready, as the one that ships with Imago.
import type { ModelInfo } from '../api/server';

export function ImportedNote({ model }: { model: ModelInfo }) {
  if (model.run !== '') return null;
  return (
    <div class="note" data-testid="imported-note">
      <div>
        This model was imported, as the one that ships with Imago is. <a href="#/training">Train your own</a>: it takes
        over when it is not worse on the same test images.
      </div>
    </div>
  );
}
