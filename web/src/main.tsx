// SPDX-License-Identifier: Apache-2.0
// Where the dashboard starts.
import { render } from 'preact';
import { App } from './app';
import './styles/tokens.css';
import './styles/shell.css';
import './styles/predict.css';
import './styles/forms.css';
import './styles/model.css';
import './styles/data.css';
import './styles/training.css';
import './styles/models.css';
import './styles/monitoring.css';

const root = document.getElementById('app');
if (root) render(<App />, root);
