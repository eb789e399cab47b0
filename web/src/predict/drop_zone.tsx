// SPDX-License-Identifier: Apache-2.0
// Where images come in: chosen, dropped anywhere on the page, or pasted.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ImageIcon } from '../ui/icons';

interface Props {
  compact: boolean;
  disabled: boolean;
  onFiles: (files: File[]) => void;
}

/** Whether a drag carries files; text and links are left to the browser. */
function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false;
}

function useDropAndPaste(enabled: boolean, onFiles: (files: File[]) => void): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    // Enter and leave fire for every child that is crossed; the count is zero only outside the window.
    let depth = 0;
    const enter = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      depth++;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      depth = Math.max(0, depth - 1);
      setOver(depth > 0);
    };
    const hover = (event: DragEvent) => {
      if (carriesFiles(event)) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      if (enabled) onFiles([...(event.dataTransfer?.files ?? [])]);
    };
    const paste = (event: ClipboardEvent) => {
      if (enabled) onFiles([...(event.clipboardData?.files ?? [])]);
    };
    window.addEventListener('dragenter', enter);
    window.addEventListener('dragleave', leave);
    window.addEventListener('dragover', hover);
    window.addEventListener('drop', drop);
    window.addEventListener('paste', paste);
    return () => {
      window.removeEventListener('dragenter', enter);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('dragover', hover);
      window.removeEventListener('drop', drop);
      window.removeEventListener('paste', paste);
    };
  }, [enabled, onFiles]);
  return over && enabled;
}

export function DropZone({ compact, disabled, onFiles }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const over = useDropAndPaste(!disabled, onFiles);
  return (
    <div class={`drop${over ? ' drop-over' : ''}${compact ? ' drop-compact' : ''}`}>
      <span class="drop-icon">
        <ImageIcon size={compact ? 22 : 34} />
      </span>
      <p class="drop-words">
        <strong>{over ? 'Let go to classify' : 'Drop images here'}</strong>
        <span>or paste one from the clipboard. JPEG, PNG, WebP, GIF.</span>
      </p>
      <button type="button" class="primary" disabled={disabled} onClick={() => input.current?.click()}>
        Choose images
      </button>
      <input
        ref={input}
        type="file"
        accept="image/*"
        multiple
        hidden
        aria-label="Images to classify"
        data-testid="file-input"
        disabled={disabled}
        onChange={(event) => {
          onFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = '';
        }}
      />
    </div>
  );
}
