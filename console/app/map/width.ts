import { useState } from 'react';

/** The width that the page gives the picture. */
export function useWidth(): [(element: HTMLElement | null) => (() => void) | undefined, number] {
  const [width, setWidth] = useState(900);
  const [frame] = useState(() => (element: HTMLElement | null) => {
    if (element === null) return undefined;
    const observer = new ResizeObserver(([entry]) => { if (entry !== undefined) setWidth(Math.max(Math.floor(entry.contentRect.width), 200)); });
    observer.observe(element);
    return () => observer.disconnect();
  });
  return [frame, width];
}
