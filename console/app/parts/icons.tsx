/** Small pictures that stand beside words, never instead of them: all are hidden from screen readers. */
import type { ReactNode } from 'react';
import type { State, Verdict } from '@lazaret/pacs/quarantine/contract.ts';

function Icon({ children, size = 14 }: { readonly children: ReactNode; readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

/** Each verdict has a shape of its own: tick, octagon, broken sheet, closed eye. */
export function VerdictIcon({ verdict, size }: { readonly verdict: Verdict; readonly size?: number }) {
  const sized = size === undefined ? {} : { size };
  switch (verdict) {
    case 'clean': return <Icon {...sized}><circle cx="8" cy="8" r="6.3" /><path d="M5.2 8.3 7.2 10.3 10.9 6" /></Icon>;
    case 'malicious': return <Icon {...sized}><path d="M5.4 1.7h5.2l3.7 3.7v5.2l-3.7 3.7H5.4l-3.7-3.7V5.4z" /><path d="M8 4.8v3.8M8 11.2v.1" /></Icon>;
    case 'malformed': return <Icon {...sized}><path d="M3 7V2h6.5L13 5.5V7M3 9.5V14h10V9.5" /><path d="m1.5 8.5 3-1.2 2.6 1.7 2.6-1.7 2.4 1.4 2.4-.8" /></Icon>;
    case 'unscannable': return <Icon {...sized}><path d="M1.7 6.5C4.8 10.6 11.2 10.6 14.3 6.5M4 9.2 2.8 11M8 9.6v2.2M12 9.2l1.2 1.8" /></Icon>;
  }
}
export function StateIcon({ state }: { readonly state: State }) {
  switch (state) {
    case 'archived': case 'cleared': return <Icon><path d="M2 5.2h12M3 5.2V13h10V5.2M2.6 2.6h10.8v2.6H2.6zM6.4 8h3.2" /></Icon>;
    case 'held': return <Icon><rect x="3" y="7" width="10" height="7" rx="1.4" /><path d="M5.3 7V4.8a2.7 2.7 0 0 1 5.4 0V7" /></Icon>;
    case 'released': return <Icon><rect x="3" y="7" width="10" height="7" rx="1.4" /><path d="M5.3 7V4.8a2.7 2.7 0 0 1 5.2-1" /></Icon>;
    case 'destroyed': return <Icon><path d="M3 4.5h10M6.3 4.3V2.4h3.4v1.9M4.3 4.5 5 13.6h6l.7-9.1" /></Icon>;
    case 'arriving': case 'waiting': case 'inspecting': return <Icon><circle cx="8" cy="8" r="6.3" /><path d="M8 4.4V8l2.4 1.6" /></Icon>;
  }
}
export const WarningIcon = ({ size = 16 }: { readonly size?: number }) => <Icon size={size}><path d="M8 2 1.6 13.4h12.8zM8 6.4v3.2M8 11.6v.1" /></Icon>;
export const CopyIcon = () => <Icon size={12}><rect x="5.5" y="5.5" width="8" height="8" rx="1.4" /><path d="M10.5 5.5v-3h-8v8h3" /></Icon>;
export const TickIcon = ({ size = 12 }: { readonly size?: number }) => <Icon size={size}><path d="m2.8 8.4 3.4 3.4 7-7.4" /></Icon>;
export const BackIcon = () => <Icon><path d="M9.6 3 4.6 8l5 5" /></Icon>;
export const TurnIcon = () => <Icon><path d="m6 3.5 4.5 4.5L6 12.5" /></Icon>;
export const SearchIcon = () => <Icon><circle cx="7" cy="7" r="4.6" /><path d="m10.5 10.5 3.4 3.4" /></Icon>;
export const SchemeIcon = () => <Icon><circle cx="8" cy="8" r="6" /><path d="M8 2v12a6 6 0 0 0 0-12z" fill="currentColor" /></Icon>;
export const LockIcon = () => <StateIcon state="held" />;
export const SameIcon = () => <Icon><path d="M3 6h10M3 10h10" /></Icon>;
