// SPDX-License-Identifier: Apache-2.0
// Which version is the champion and how that came to be; promotes and rolls back, after asking.
import { useCallback, useState } from 'preact/hooks';
import { getMoves, promote, rollBack, type ModelSummary, type Move } from '../api/models';
import { versionName, when } from '../format';
import { useAction } from '../ui/action';
import { Dialog } from '../ui/dialog';
import { ErrorNote } from '../ui/error_note';
import { FoldingList } from '../ui/folding_list';
import { useLoad } from '../ui/load';
import { canRollBack, type Choice } from './choice';

type Question = 'promote' | 'rollback';

interface AskProps {
  title: string;
  confirm: string;
  words: string;
  busy: boolean;
  onYes: (reason: string) => void;
  onNo: () => void;
}

function AskWithReason({ title, confirm, words, busy, onYes, onNo }: AskProps) {
  const [reason, setReason] = useState('');
  return (
    <Dialog title={title} confirm={confirm} busy={busy} onConfirm={() => onYes(reason.trim())} onCancel={onNo}>
      <p class="muted">{words}</p>
      <label class="field">
        <span>Reason</span>
        <input
          type="text"
          name="reason"
          maxLength={500}
          placeholder="kept in the history"
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
    </Dialog>
  );
}

function History({ moves }: { moves: Move[] }) {
  if (moves.length === 0) return <p class="muted">No version has been the champion yet.</p>;
  return (
    <FoldingList
      class="moves"
      items={moves}
      shown={6}
      render={(move) => (
        <li key={move.time + move.version}>
          <strong class="nums">{move.version === null ? 'none' : versionName(move.version)}</strong>
          <span class="reason">{move.reason || 'no reason given'}</span>
          <span class="muted nums">{when(move.time)}</span>
        </li>
      )}
    />
  );
}

interface Props {
  model: ModelSummary;
  shown: Choice;
  onMoved: () => void;
}

export function MoveCard({ model, shown, onMoved }: Props) {
  const [question, setQuestion] = useState<Question>();
  const [changes, setChanges] = useState(0);
  const action = useAction();
  const { name, champion } = model;
  const load = useCallback((signal: AbortSignal) => getMoves(name, 'champion', signal), [name, champion, changes]);
  const moves = useLoad(load);
  const isChampion = champion === shown.version;
  const answer = async (reason: string) => {
    const moved = await action.run(() =>
      question === 'promote' ? promote(name, shown.version, reason) : rollBack(name, reason),
    );
    setQuestion(undefined);
    if (!moved) return;
    setChanges(changes + 1);
    onMoved();
  };
  return (
    <section class="card" aria-labelledby="champion-title" data-testid="move-card">
      <div class="list-head">
        <h2 id="champion-title">Champion</h2>
        <span class="muted">{champion === null ? 'none' : `${name} ${versionName(champion)}`}</span>
        <button type="button" class="primary" disabled={isChampion} onClick={() => setQuestion('promote')}>
          Promote {versionName(shown.version)}
        </button>
        <button
          type="button"
          class="secondary"
          disabled={!canRollBack(moves.data ?? [])}
          onClick={() => setQuestion('rollback')}
        >
          Roll back
        </button>
      </div>
      {action.error && <ErrorNote error={action.error} />}
      {moves.error && <ErrorNote error={moves.error} />}
      {moves.data && <History moves={moves.data} />}
      {question === 'promote' && (
        <AskWithReason
          title={`Promote ${name} ${versionName(shown.version)}?`}
          confirm="Promote"
          words={
            champion === null
              ? 'It becomes the champion: the version that serves.'
              : `It becomes the champion in place of ${versionName(champion)}: the version that serves.`
          }
          busy={action.busy}
          onYes={answer}
          onNo={() => setQuestion(undefined)}
        />
      )}
      {question === 'rollback' && (
        <AskWithReason
          title="Roll back?"
          confirm="Roll back"
          words={`The version that was the champion before ${champion === null ? 'this one' : versionName(champion)} takes its place again.`}
          busy={action.busy}
          onYes={answer}
          onNo={() => setQuestion(undefined)}
        />
      )}
    </section>
  );
}
