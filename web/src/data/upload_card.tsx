// SPDX-License-Identifier: Apache-2.0
// New images in: files, folders and archives, dropped or chosen, with the label they get.
import { useRef, useState } from 'preact/hooks';
import type { Named } from '../api/upload';
import { bytes, count } from '../format';
import { ErrorNote } from '../ui/error_note';
import { UploadIcon } from '../ui/icons';
import { FoldingList } from '../ui/folding_list';
import { ProgressBar } from '../ui/progress_bar';
import { droppedFiles, namedFiles, withoutNoise } from './files';
import type { Transfer } from './transfer';

const kFolder = { webkitdirectory: true } as Record<string, unknown>;
const kTypes = 'image/*,.zip,.tar,.tgz,.gz,.zst,.npz';

function Outcome({ transfer, onStop, onClear }: { transfer: Transfer; onStop: () => void; onClear: () => void }) {
  const { state, accepted, rejected, aliases, error } = transfer;
  const sending = state === 'sending';
  const head = {
    sending: `Sending ${count(transfer.files)} ${transfer.files === 1 ? 'file' : 'files'}`,
    done: 'Upload done',
    stopped: 'Upload stopped',
    failed: 'Upload failed',
  }[state];
  return (
    <div class="transfer" data-testid="transfer">
      <div class="transfer-head">
        <strong role="status">{head}</strong>
        <span class="muted nums">
          {sending ? `${bytes(transfer.sentBytes)} of ${bytes(transfer.totalBytes)}` : `${count(accepted)} accepted`}
          {rejected.length > 0 && `, ${count(rejected.length)} refused`}
        </span>
        <button type="button" class="quiet" onClick={sending ? onStop : onClear}>
          {sending ? 'Stop' : 'Close'}
        </button>
      </div>
      {sending && <ProgressBar label="Upload" value={transfer.sentBytes / Math.max(1, transfer.totalBytes)} />}
      {error && <ErrorNote error={error} />}
      {aliases.length > 0 && (
        <ul class="notes">
          {aliases.map((one) => (
            <li key={one.given}>
              “{one.given}” was taken for <strong>{one.label}</strong> ({count(one.files)}{' '}
              {one.files === 1 ? 'image' : 'images'})
            </li>
          ))}
        </ul>
      )}
      {rejected.length > 0 && (
        <FoldingList
          class="refused"
          items={rejected}
          shown={5}
          render={(one, i) => (
            <li key={i}>
              <span class="clip" title={one.file}>
                {one.file}
              </span>
              <span>{one.reason}</span>
            </li>
          )}
        />
      )}
    </div>
  );
}

interface Props {
  labels: string[];
  transfer: Transfer | undefined;
  onFiles: (files: Named[], label: string) => void;
  onStop: () => void;
  onClear: () => void;
}

export function UploadCard({ labels, transfer, onFiles, onStop, onClear }: Props) {
  const [label, setLabel] = useState('');
  const [over, setOver] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const busy = transfer?.state === 'sending';
  const take = (chosen: Named[]) => onFiles(withoutNoise(chosen), label.trim());
  const chosen = (event: Event & { currentTarget: HTMLInputElement }) => {
    take(namedFiles(event.currentTarget.files ?? []));
    event.currentTarget.value = '';
  };
  return (
    <section
      class={over ? 'card upload upload-over' : 'card upload'}
      aria-labelledby="upload-title"
      data-testid="upload-card"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (event.dataTransfer && !busy) droppedFiles(event.dataTransfer).then(take);
      }}
    >
      <h2 id="upload-title">Add images</h2>
      <div class="upload-area">
        <span class="drop-icon">
          <UploadIcon />
        </span>
        <div class="upload-words">
          <strong>{over ? 'Let go to upload' : 'Drop images, folders or archives here'}</strong>
          <p class="muted">JPEG, PNG, WebP, GIF, BMP; ZIP, TAR and NPZ. A folder's name is the label of its images.</p>
        </div>
        <div class="upload-buttons">
          <button type="button" class="primary" disabled={busy} onClick={() => files.current?.click()}>
            Choose files
          </button>
          <button type="button" class="secondary" disabled={busy} onClick={() => folder.current?.click()}>
            Choose a folder
          </button>
        </div>
        <input ref={files} type="file" multiple hidden accept={kTypes} data-testid="upload-files" onChange={chosen} />
        <input ref={folder} type="file" multiple hidden {...kFolder} data-testid="upload-folder" onChange={chosen} />
      </div>
      <label class="field">
        <span>Label for all of them</span>
        <input
          type="text"
          list="known-labels"
          placeholder="left empty: folder names, or label them below"
          value={label}
          onInput={(event) => setLabel(event.currentTarget.value)}
        />
      </label>
      <datalist id="known-labels">
        {labels.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      {transfer && <Outcome transfer={transfer} onStop={onStop} onClear={onClear} />}
    </section>
  );
}
