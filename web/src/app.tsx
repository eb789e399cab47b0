// SPDX-License-Identifier: Apache-2.0
// The shell: header, tabs, and the page that the address names (#/predict).
import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Butterfly } from './icons';
import { PredictPage } from './predict/predict_page';
import { useServerState, type ServerState } from './server/server_state';
import { StatusBanner } from './server/status_banner';
import { StatusPill } from './server/status_pill';

interface Tab {
  id: string;
  title: string;
  Page: FunctionComponent<{ server: ServerState }>;
}

/** One entry per page; the tab bar appears with the second. */
const kTabs: [Tab, ...Tab[]] = [{ id: 'predict', title: 'Predict', Page: PredictPage }];

function tabOfAddress(): Tab {
  const id = window.location.hash.replace(/^#\/?/, '');
  return kTabs.find((tab) => tab.id === id) ?? kTabs[0];
}

function useTab(): Tab {
  const [tab, setTab] = useState(tabOfAddress);
  useEffect(() => {
    const follow = () => setTab(tabOfAddress());
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);
  return tab;
}

function TabBar({ current }: { current: Tab }) {
  if (kTabs.length < 2) return null;
  return (
    <nav class="tabs" aria-label="Pages">
      {kTabs.map((tab) => (
        <a key={tab.id} href={`#/${tab.id}`} aria-current={tab === current ? 'page' : undefined}>
          {tab.title}
        </a>
      ))}
    </nav>
  );
}

export function App() {
  const server = useServerState();
  const tab = useTab();
  const version = server.status.data?.version;
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top">
        <div class="top-inner">
          <div class="brand">
            <Butterfly />
            <span>Imago</span>
          </div>
          <TabBar current={tab} />
          <StatusPill status={server.status} />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <StatusBanner status={server.status} />
        <tab.Page server={server} />
      </main>
      <footer class="foot">
        <span>Imago{version && ` ${version}`}</span>
        <span>
          The same over HTTP: <code>POST /predict</code>, <a href="/status">/status</a>, <a href="/metrics">/metrics</a>
        </span>
      </footer>
    </>
  );
}
