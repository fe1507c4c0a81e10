/** Light, dark, or as the system has it; remembered on this machine. */
export const schemes = ['system', 'light', 'dark'] as const;
export type Scheme = (typeof schemes)[number];

const key = 'lazaret-scheme';

export function savedScheme(): Scheme {
  try {
    const saved = localStorage.getItem(key);
    return schemes.find((scheme) => scheme === saved) ?? 'system';
  } catch {
    return 'system';
  }
}

export function applyScheme(scheme: Scheme = savedScheme()): void {
  if (scheme === 'system') delete document.documentElement.dataset['scheme'];
  else document.documentElement.dataset['scheme'] = scheme;
  try {
    localStorage.setItem(key, scheme);
  } catch {
    // Storage may be forbidden: the choice then lasts as long as the page.
  }
}
