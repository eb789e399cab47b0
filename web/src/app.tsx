// SPDX-License-Identifier: Apache-2.0
// The shell: header, tabs, and the page that the address names (#/predict).
import type { ComponentChildren, FunctionComponent } from 'preact';
import { useEffect, useErrorBoundary, useState } from 'preact/hooks';
import { ApiError } from './api/client';
import { KeyDialog } from './auth/key_dialog';
import { DataPage } from './data/data_page';
import { ModelsPage } from './models/models_page';
import { MonitoringPage } from './monitoring/monitoring_page';
import { PredictPage } from './predict/predict_page';
import { useServerState, type ServerState } from './server/server_state';
import { StatusBanner } from './server/status_banner';
import { StatusPill } from './server/status_pill';
import { TrainingPage } from './training/training_page';
import { ErrorNote } from './ui/error_note';
import { Butterfly } from './ui/icons';

interface Tab {
  id: string;
  title: string;
  Page: FunctionComponent<{ server: ServerState }>;
}

const kTabs: [Tab, ...Tab[]] = [
  { id: 'predict', title: 'Predict', Page: PredictPage },
  { id: 'data', title: 'Data', Page: DataPage },
  { id: 'training', title: 'Training', Page: TrainingPage },
  { id: 'models', title: 'Models', Page: ModelsPage },
  { id: 'monitoring', title: 'Monitoring', Page: MonitoringPage },
];

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

/** A file that misses the place for it must not take the browser away from the page. */
function useNoStrayDrops() {
  useEffect(() => {
    const refuse = (event: DragEvent) => event.preventDefault();
    window.addEventListener('dragover', refuse);
    window.addEventListener('drop', refuse);
    return () => {
      window.removeEventListener('dragover', refuse);
      window.removeEventListener('drop', refuse);
    };
  }, []);
}

function TabBar({ current }: { current: Tab }) {
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

/** What an answer of unforeseen shape breaks is one page, and it says so. */
function PageFrame({ children }: { children: ComponentChildren }) {
  const [error, reset] = useErrorBoundary();
  if (!error) return <>{children}</>;
  return (
    <>
      <ErrorNote error={new ApiError('This page could not be drawn', String(error), 0)} />
      <button type="button" class="secondary retry" onClick={reset}>
        Try again
      </button>
    </>
  );
}

export function App() {
  const server = useServerState();
  const tab = useTab();
  useNoStrayDrops();
  useEffect(() => {
    document.title = tab === kTabs[0] ? 'Imago' : `${tab.title} · Imago`;
  }, [tab]);
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
        <PageFrame key={tab.id}>
          <tab.Page server={server} />
        </PageFrame>
      </main>
      <footer class="foot">
        <span>Imago{version && ` ${version}`}</span>
        <span>
          The same over HTTP: <code>POST /predict</code>, <a href="/status">/status</a>, <a href="/metrics">/metrics</a>
          , <a href="/docs">/docs</a>
        </span>
      </footer>
      <KeyDialog />
    </>
  );
}
