// SPDX-License-Identifier: Apache-2.0
// The few pictures the dashboard draws itself. All are decoration: the words beside them carry the meaning.
import type { ComponentChildren } from 'preact';

function Icon({ children, size = 20 }: { children: ComponentChildren; size?: number }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const Butterfly = ({ size = 28 }: { size?: number }) => (
  <Icon size={size}>
    <path d="M12 11.2C9.7 5.8 4.6 4.6 4 8.2c-.5 3 3.3 4.8 8 4.4" />
    <path d="M12 11.2C14.3 5.8 19.4 4.6 20 8.2c.5 3-3.3 4.8-8 4.4" />
    <path d="M12 12.6c-3.6.3-6 2.2-4.9 4.7 1.2 2.3 4.2.2 4.9-3.5" />
    <path d="M12 12.6c3.6.3 6 2.2 4.9 4.7-1.2 2.3-4.2.2-4.9-3.5" />
  </Icon>
);

export const ImageIcon = ({ size = 20 }: { size?: number }) => (
  <Icon size={size}>
    <rect x="3" y="4" width="18" height="16" rx="3" />
    <circle cx="8.5" cy="9.5" r="1.5" />
    <path d="m4 17 5-4.5 3.5 3 3-2.5 4.5 4" />
  </Icon>
);

export const Warning = () => (
  <Icon>
    <path d="M12 4 2.8 19.5h18.4z" />
    <path d="M12 10v4.5M12 17.2v.1" />
  </Icon>
);

export const Hourglass = () => (
  <Icon>
    <path d="M6 3h12M6 21h12M7 3c0 5 5 6 5 9s-5 4-5 9M17 3c0 5-5 6-5 9s5 4 5 9" />
  </Icon>
);

export const UploadIcon = () => (
  <Icon size={26}>
    <path d="M12 16V5M7 9.5 12 4.5l5 5" />
    <path d="M4 15v3a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-3" />
  </Icon>
);

export const Bin = () => (
  <Icon size={16}>
    <path d="M4 7h16M9 7V4.5h6V7M6.5 7l1 12.5h9l1-12.5" />
  </Icon>
);

export const Check = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <path d="m8 12.5 2.8 2.7L16 9.5" />
  </Icon>
);
