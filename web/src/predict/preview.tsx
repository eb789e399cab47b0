// SPDX-License-Identifier: Apache-2.0
// The image as the browser sees it. What it cannot show gets a plain sign, and so does what the server refused or has
// not answered yet: a file that would unpack to gigabytes must not be decoded here either.
import { useState } from 'preact/hooks';
import { ImageIcon } from '../ui/icons';
import type { Item } from './queue';

/** Below this width an image is enlarged with its pixels kept square. */
const kTinyPx = 128;

export function Preview({ item, alt, size }: { item: Item; alt: string; size: 'large' | 'small' }) {
  const [seen, setSeen] = useState<{ url: string; state: 'tiny' | 'normal' | 'broken' }>();
  const accepted = item.state === 'done';
  const state = seen?.url === item.url ? seen.state : 'normal';
  return (
    <span class={`preview preview-${size} preview-${state}`}>
      {!accepted || state === 'broken' ? (
        <ImageIcon size={size === 'large' ? 40 : 18} />
      ) : (
        <img
          src={item.url}
          alt={alt}
          decoding="async"
          loading={size === 'small' ? 'lazy' : 'eager'}
          onLoad={(event) =>
            setSeen({ url: item.url, state: event.currentTarget.naturalWidth < kTinyPx ? 'tiny' : 'normal' })
          }
          onError={() => setSeen({ url: item.url, state: 'broken' })}
        />
      )}
    </span>
  );
}
