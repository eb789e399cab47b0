// SPDX-License-Identifier: Apache-2.0
// Where the dashboard starts.
import { render } from 'preact';
import { App } from './app';
import './styles/tokens.css';
import './styles/shell.css';
import './styles/predict.css';
import './styles/model.css';

const root = document.getElementById('app');
if (root) render(<App />, root);
