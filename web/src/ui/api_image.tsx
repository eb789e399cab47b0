// SPDX-License-Identifier: Apache-2.0
// An image from the API. An <img> can neither send a key nor wait until the server's limit lets it: then the bytes are
// fetched first.
import { useEffect, useState } from 'preact/hooks';
import { fetchWithKey } from '../api/client';
import { apiKey } from '../api/key';
import { ImageIcon } from './icons';

function useSource(url: string, refused: boolean): string | undefined {
  const keyed = apiKey() !== undefined || refused;
  const [fetched, setFetched] = useState<string>();
  useEffect(() => {
    if (!keyed) return;
    const abort = new AbortController();
    let made: string | undefined;
    fetchWithKey(url, { signal: abort.signal, headers: { Accept: 'image/*' } })
      .then((response) => (response.ok ? response.blob() : Promise.reject(new Error(String(response.status)))))
      .then((blob) => {
        if (abort.signal.aborted) return;
        made = URL.createObjectURL(blob);
        setFetched(made);
      })
      .catch(() => setFetched(undefined));
    return () => {
      abort.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [url, keyed]);
  return keyed ? fetched : url;
}

/** Below this width an image is enlarged with its pixels kept square. */
const kTinyPx = 128;

export function ApiImage({ url, alt, width }: { url: string; alt: string; width?: number }) {
  const [broken, setBroken] = useState<string>();
  const source = useSource(url, broken !== undefined);
  if (!source || broken === source)
    return (
      <span class="thumb-missing" role="img" aria-label={alt}>
        <ImageIcon size={18} />
      </span>
    );
  return (
    <img
      class={width !== undefined && width < kTinyPx ? 'pixelated' : undefined}
      src={source}
      alt={alt}
      loading="lazy"
      decoding="async"
      onError={() => setBroken(source)}
    />
  );
}
