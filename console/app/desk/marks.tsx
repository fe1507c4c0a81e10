/** Small pictures of the desk, always beside words. */
import type { ReactNode } from 'react';

function Mark({ children, size = 24, width = 1.7 }: { readonly children: ReactNode; readonly size?: number; readonly width?: number }) {
  return <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth={width} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">{children}</svg>;
}
export const DiscMark = ({ size = 24 }: { readonly size?: number }) => <Mark size={size} width={size > 40 ? 1.2 : 1.7}><circle cx="12" cy="12" r="9.5" /><circle cx="12" cy="12" r="2.6" /><path d="M12 5.4a6.6 6.6 0 0 1 6.6 6.6" /></Mark>;
export const FolderMark = () => <Mark size={20}><path d="M3 6.5A1.5 1.5 0 0 1 4.5 5h4l2.2 2.500h8.800A1.5 1.5 0 0 1 21 9v8.500a1.5 1.5 0 0 1-1.5 1.500h-15A1.5 1.5 0 0 1 3 17.500z" /></Mark>;
export const FileMark = () => <Mark size={20}><path d="M6 3h8l4.5 4.500V21H6zM14 3v4.500h4.5" /></Mark>;
export const PersonMark = () => <Mark size={20}><circle cx="12" cy="8" r="4" /><path d="M4.5 20.500c.8-4 3.600-6 7.5-6s6.700 2 7.5 6" /></Mark>;
export const PrintMark = () => <Mark size={18}><path d="M7 9V3.500h10V9M7 17H4V9h16v8h-3M7 14h10v6.500H7z" /></Mark>;
export const AlertMark = ({ size = 28 }: { readonly size?: number }) => <Mark size={size}><path d="M8 2.500h8L21.5 8v8L16 21.500H8L2.5 16V8z" /><path d="M12 7v6M12 16.500v.1" /></Mark>;
export const TickMark = ({ size = 20 }: { readonly size?: number }) => <Mark size={size} width={2.2}><path d="m5 12.5 5 5L19.5 7" /></Mark>;
export const NextMark = () => <Mark size={18} width={2}><path d="m9 5.5 6.5 6.500L9 18.5" /></Mark>;
